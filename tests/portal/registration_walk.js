// An enterprise and its city walk through a registration in a real browser, with
// no script in its pages. What is said of each page: nothing is wider than the
// window, its title is its own, axe finds nothing (best practices included), an
// error page begins with the error. Called by registration_browser_test.sh:
//
//   node registration_walk.js URL FOLDER [SHOTS]
const path = require('path');
const fs = require('fs');
const { chromium } = require('playwright-core');
const [url, folder, shots] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
let number = 0, failed = 0;
function tap(good, name, why) {
  number++;
  if (!good) { failed++; if (why) console.log('# ' + String(why).replace(/\n/g, '\n# ')); }
  console.log(`${good ? 'ok' : 'not ok'} ${number} - ${name}`);
}
const sizes = [
  { name: '1280', width: 1280, height: 900 },
  { name: '400', width: 400, height: 800 },
  { name: '200%', width: 1280, height: 900, zoom: true },
];
const titles = new Map();

// The page as it stands, in both languages and all sizes.
async function look(page, name) {
  for (const lang of ['en', 'zh']) {
    const there = new URL(page.url());
    there.hash = '';
    there.searchParams.set('lang', lang);
    await page.goto(String(there));
    await seen(page, name, lang);
  }
}
async function seen(page, name, lang) {
  const title = await page.title();
  const key = lang + title, place = new URL(page.url()).pathname;
  if (!titles.has(key)) titles.set(key, place);
  tap(titles.get(key) === place, `${name} ${lang}: a title of its own`, `${title} is also ${titles.get(key)}`);
  for (const size of sizes) {
    await page.setViewportSize({ width: size.width, height: size.height });
    await page.evaluate((zoom) => { document.documentElement.style.fontSize = zoom ? '32px' : ''; }, !!size.zoom);
    const wide = await page.evaluate(() => {
      const most = document.documentElement.clientWidth;
      return [...document.querySelectorAll('main *')].filter((e) => {
        const r = e.getBoundingClientRect();
        return r.right > most + 1 && r.width > 0 && !e.closest('.scroll') && getComputedStyle(e).position !== 'absolute';
      }).slice(0, 3).map((e) => e.outerHTML.slice(0, 120));
    });
    tap(wide.length === 0, `${name} ${lang} ${size.name}: nothing is wider than the window`, wide.join('\n'));
    if (shots) await page.screenshot({ path: path.join(shots, `${name}-${lang}-${size.name.replace('%', '')}.png`), fullPage: true });
  }
  await page.evaluate(() => { document.documentElement.style.fontSize = ''; });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await axe.run(document, { iframes: false })).violations
    .map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160)).join(' | ')}`));
  tap(found.length === 0, `${name} ${lang}: axe finds nothing`, found.join('\n'));
}
async function enter(browser, who) {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(url + '/login');
  await page.fill('[name=name]', who);
  await page.fill('[name=password]', 'password-' + who);
  await page.press('[name=password]', 'Enter');
  await page.waitForLoadState();
  return page;
}
async function fill(page, step, values, files = {}) {
  await page.goto(`${url}/registration/${step}`);
  for (const [name, value] of Object.entries(values)) {
    const at = page.locator(`[name="${name}"]`).first();
    const kind = await at.evaluate((e) => e.type || e.tagName);
    if (kind === 'checkbox') await at.check();
    else if (kind === 'radio') await page.check(`[name="${name}"][value="${value}"]`);
    else if (kind === 'select-one') await at.selectOption(value);
    else await at.fill(value);
  }
  for (const [name, file] of Object.entries(files)) await page.setInputFiles(`[name="${name}"]`, file);
}
async function press(page) { // the primary button, by Enter where there is a line
  await page.locator('form.form button[value=next]').last().click();
  await page.waitForLoadState();
}

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.BROWSER, args: ['--no-sandbox', '--disable-gpu'] });
  const li = await enter(browser, 'li');
  await li.goto(url + '/registration');
  await look(li, 'begin');
  await fill(li, 'basics', { name: '汕尾甲机械有限公司', credit_code: '91441500MATEXT9010', legal_form: 'LIMITED', industry: '3311', established: '2015-03-08' });
  await look(await (async () => { await press(li); await li.goto(url + '/registration/basics'); return li; })(), 'basics');
  await li.goto(url + '/registration/place');
  await li.fill('[name=county]', '海丰县');
  await li.press('[name=county]', 'Enter');
  await li.waitForLoadState();
  tap(li.url().endsWith('/registration/business'), 'Enter does what the primary button does', li.url());
  await fill(li, 'business', { revenue: '很多', revenue_year: '2025' });
  await press(li);
  tap((await li.title()).startsWith('错误'), 'a failed page says so first', await li.title());
  tap(await li.evaluate(() => document.activeElement.id) === 'errors', 'its summary has the focus');
  await look(li, 'business-error');
  await li.goto(url + '/registration/check');
  await look(li, 'check-error');
  await fill(li, 'place', { city: '441500', county: '海丰县', address: '海丰县科技路1号' });
  await press(li);
  await fill(li, 'business', { revenue: '12,000,000', revenue_year: '2025', staff: '120' });
  await press(li);
  await li.goto(url + '/registration/certification');
  await look(li, 'certification');
  await fill(li, 'people', { legal_representative: '张三', contact: '李四', mobile: '13800138000', mail: 'li@example.com', 'shareholders.0.name': '张三', 'shareholders.0.share': '60' });
  await press(li);
  await li.goto(url + '/registration/people');
  await look(li, 'people');
  await fill(li, 'papers', { no_violation: 'yes', undertaking: 'yes' }, { licence: path.join(folder, 'licence.png') });
  await press(li);
  await li.goto(url + '/registration/papers');
  await look(li, 'papers');
  await li.goto(url + '/registration');
  await look(li, 'tasks');
  await li.goto(url + '/registration/check');
  await look(li, 'check');
  await li.locator('form.form button[type=submit]').last().click();
  await li.waitForLoadState();
  tap((await li.textContent('main')).includes('R-'), 'it has a number');
  await look(li, 'submitted');
  await li.goto(url + '/registration/receipt');
  await look(li, 'receipt');
  if (shots) await li.pdf({ path: path.join(shots, 'receipt.pdf'), format: 'A4' }).catch(() => {});

  const wang = await enter(browser, 'wang');
  await wang.goto(url + '/registrations');
  await look(wang, 'registrations');
  await wang.locator('main table a').first().click();
  await wang.waitForLoadState();
  const review = wang.url();
  await wang.locator('summary').first().click();
  await look(wang, 'review');
  await wang.goto(review);
  await wang.locator('details:has(form[action$="/return"]) summary').click();
  await wang.locator('form[action$="/return"] button').first().click();
  await wang.waitForLoadState();
  await seen(wang, 'return-refused', 'zh');
  await wang.selectOption('[name="points.0.field"]', 'revenue');
  await wang.fill('[name="points.0.reason"]', '与年报不一致');
  await wang.fill('[name="points.0.material"]', '核对金额');
  await wang.selectOption('[name="points.1.field"]', 'county');
  await wang.fill('[name="points.1.reason"]', '与执照不一致');
  await wang.fill('[name="points.1.material"]', '核对或说明');
  await wang.locator('form[action$="/return"] button').first().click();
  await wang.waitForLoadState();

  await li.goto(url + '/registration');
  await look(li, 'returned');
  const notice = await li.locator('.timeline a').first().getAttribute('href');
  await li.goto(url + notice);
  await look(li, 'notice');
  await fill(li, 'business', { revenue: '11,500,000.50' });
  await look(li, 'business-returned');
  await fill(li, 'business', { revenue: '11,500,000.50' });
  await press(li);
  await li.goto(url + '/registration/check');
  await li.fill('[name="replies.1.reply"]', '区划调整，见执照背面');
  await look(li, 'check-returned');
  await li.fill('[name="replies.1.reply"]', '区划调整，见执照背面');
  await li.locator('form.form button[type=submit]').last().click();
  await li.waitForLoadState();
  tap(li.url().includes('submitted'), 'submitted again', await li.textContent('main'));
  await wang.goto(review);
  await look(wang, 'review-changed');
  await wang.goto(review);
  await wang.locator('details:has(form[action$="/approve"]) summary').click();
  for (const box of await wang.locator('form[action$="/approve"] input[type=checkbox]').all()) await box.check();
  await wang.locator('form[action$="/approve"] button').first().click();
  await wang.waitForLoadState();
  tap((await wang.textContent('.titlebar')).includes('已通过'), 'approved');
  await li.goto(url + '/registration');
  await look(li, 'active');
  await browser.close();
  console.log(`1..${number}`);
  process.exit(0);
})().catch((e) => { console.log('# ' + String(e.stack).replace(/\n/g, '\n# ')); console.log(`not ok ${number + 1} - the walk ends`); console.log(`1..${number + 1}`); process.exit(0); });
