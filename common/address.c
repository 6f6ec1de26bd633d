/*
 * IP addresses and prefixes.
 *
 * Text is read and written by the C library (inet_pton, inet_ntop), which takes
 * neither zone ids, leading zeros nor shortened IPv4. What counts as public is
 * a table of the prefixes that do not, after the IANA special-purpose
 * registries (RFC 6890 and its updates).
 */
#include "common/address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int family_of(const struct address *address)
{
    return address->version == 4 ? AF_INET : AF_INET6;
}

static size_t size_of(const struct address *address)
{
    return address->version == 4 ? 4 : 16;
}

bool address_from_text(struct slice text, struct address *address)
{
    char copy[ADDRESS_TEXT_LEN];
    struct address result = {.version = 4};
    if (!slice_copy(text, copy, sizeof(copy)) || strlen(copy) != text.length)
        return false;
    if (strchr(copy, ':') != NULL)
        result.version = 6;
    if (inet_pton(family_of(&result), copy, result.bytes) != 1)
        return false;
    *address = result;
    return true;
}

void address_to_text(const struct address *address,
                     char text[static ADDRESS_TEXT_LEN])
{
    if ((address->version != 4 && address->version != 6) ||
        inet_ntop(family_of(address), address->bytes, text, ADDRESS_TEXT_LEN) ==
            NULL)
        snprintf(text, ADDRESS_TEXT_LEN, "?");
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->version == b->version &&
           memcmp(a->bytes, b->bytes, size_of(a)) == 0;
}

/* The mask of the byte that holds bits 8*i to 8*i+7 of a prefix. */
static uint8_t mask_of_byte(unsigned length, size_t i)
{
    if (length >= 8 * (i + 1))
        return 0xff;
    return length <= 8 * i ? 0 : (uint8_t)(0xff00 >> (length - 8 * i));
}

bool prefix_from_text(struct slice text, struct prefix *prefix)
{
    struct slice host, bits;
    struct prefix result = {0};
    if (!slice_next(&text, '/', &host) ||
        !address_from_text(host, &result.address))
        return false;
    uint64_t length = 8 * size_of(&result.address);
    if (slice_next(&text, '/', &bits) &&
        (text.data != NULL || !parse_u64(bits, 0, length, &length)))
        return false;
    result.length = (uint8_t)length;
    for (size_t i = 0; i < size_of(&result.address); i++) {
        if (result.address.bytes[i] & ~mask_of_byte(result.length, i))
            return false;
    }
    *prefix = result;
    return true;
}

bool prefix_contains(const struct prefix *prefix, const struct address *a)
{
    if (prefix->address.version != a->version)
        return false;
    for (size_t i = 0; i < size_of(a); i++) {
        if ((prefix->address.bytes[i] ^ a->bytes[i]) &
            mask_of_byte(prefix->length, i))
            return false;
    }
    return true;
}

static const struct prefix NOT_PUBLIC[] = {
    {{4, {0}}, 8},                       /* "this network", unspecified */
    {{4, {10}}, 8},                      /* private */
    {{4, {100, 64}}, 10},                /* shared, carrier-grade NAT */
    {{4, {127}}, 8},                     /* loopback */
    {{4, {169, 254}}, 16},               /* link-local */
    {{4, {172, 16}}, 12},                /* private */
    {{4, {192, 0, 0}}, 24},              /* protocol assignments */
    {{4, {192, 0, 2}}, 24},              /* documentation */
    {{4, {192, 88, 99}}, 24},            /* 6to4 relay, withdrawn */
    {{4, {192, 168}}, 16},               /* private */
    {{4, {198, 18}}, 15},                /* benchmark */
    {{4, {198, 51, 100}}, 24},           /* documentation */
    {{4, {203, 0, 113}}, 24},            /* documentation */
    {{4, {224}}, 4},                     /* multicast */
    {{4, {240}}, 4},                     /* reserved, broadcast */
    {{6, {0x20, 0x01, 0x00}}, 23},       /* protocol assignments, benchmark */
    {{6, {0x20, 0x01, 0x0d, 0xb8}}, 32}, /* documentation */
    {{6, {0x20, 0x02}}, 16},             /* 6to4 */
    {{6, {0x3f, 0xff}}, 20},             /* documentation */
};

/* IPv6 addresses in use on the Internet all come from here; unspecified,
 * loopback, mapped IPv4, unique local, link-local and multicast lie outside. */
static const struct prefix GLOBAL_UNICAST_6 = {{6, {0x20}}, 3};

bool address_is_public(const struct address *address)
{
    if (address->version != 4 && address->version != 6)
        return false;
    if (address->version == 6 && !prefix_contains(&GLOBAL_UNICAST_6, address))
        return false;
    for (size_t i = 0; i < sizeof(NOT_PUBLIC) / sizeof(NOT_PUBLIC[0]); i++) {
        if (prefix_contains(&NOT_PUBLIC[i], address))
            return false;
    }
    return true;
}
