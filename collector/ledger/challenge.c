#include "collector/ledger/challenge.h"

#include <string.h>

enum { TIME_LEN = 8, MAC_LEN = CHALLENGE_LEN - TIME_LEN };

struct digest challenge_secret(const struct sign_key *receipt_key)
{
    return sign_key_secret(receipt_key, "yunzheng challenge 1\n");
}

static struct digest mac_of(struct digest secret, const char *probe_id,
                            const uint8_t time[static TIME_LEN])
{
    uint8_t text[PROBE_ID_LEN + TIME_LEN] = {0};
    size_t length = strnlen(probe_id, PROBE_ID_LEN);
    memcpy(text, probe_id, length);
    memcpy(text + length, time, TIME_LEN);
    return hmac_sha256(secret.bytes, DIGEST_LEN, text, length + TIME_LEN);
}

void challenge_make(struct digest secret, const char *probe_id,
                    struct wall_time now, uint8_t nonce[static CHALLENGE_LEN])
{
    uint64_t ms = (uint64_t)wall_to_ms(now);
    for (int i = TIME_LEN - 1; i >= 0; i--, ms >>= 8)
        nonce[i] = (uint8_t)ms;
    memcpy(nonce + TIME_LEN, mac_of(secret, probe_id, nonce).bytes, MAC_LEN);
}

enum challenge_status challenge_check(struct digest secret,
                                      const char *probe_id,
                                      const uint8_t nonce[static CHALLENGE_LEN],
                                      int64_t *made_ms)
{
    static const uint8_t none[CHALLENGE_LEN];
    uint64_t ms = 0;
    *made_ms = 0;
    if (memcmp(nonce, none, CHALLENGE_LEN) == 0)
        return CHALLENGE_NONE;
    struct digest mac = mac_of(secret, probe_id, nonce);
    uint8_t different = 0; /* looked at whole, so that time tells nothing */
    for (int i = 0; i < MAC_LEN; i++)
        different |= mac.bytes[i] ^ nonce[TIME_LEN + i];
    for (int i = 0; i < TIME_LEN; i++)
        ms = ms << 8 | nonce[i];
    if (different != 0 || ms > INT64_MAX / 1000)
        return CHALLENGE_FORGED;
    *made_ms = (int64_t)ms;
    return CHALLENGE_RIGHT;
}
