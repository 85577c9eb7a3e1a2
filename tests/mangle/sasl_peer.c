// SPDX-License-Identifier: Apache-2.0
#include "sasl_peer.h"

#include "base/assert.h"

#include <openssl/evp.h>
#include <stdio.h>

enum {
    MD5_SIZE = 16,
    HEX_SIZE = 2 * MD5_SIZE + 1,
    TEXT_SIZE = 1024,
    FIELDS = 9,
};

static const char realm[] = "zk-sasl-md5";
static const char uri[] = "zookeeper/zk-sasl-md5";
static const char cnonce[] = "bm90IHJhbmRvbQ==";
static const char count[] = "00000001";

static void md5(const void *data, size_t size, uint8_t digest[MD5_SIZE])
{
    FK_ASSERT(EVP_Digest(data, size, digest, NULL, EVP_md5(), NULL) == 1);
}

static void md5_hex(const char *text, size_t size, char hex[HEX_SIZE])
{
    uint8_t digest[MD5_SIZE];
    md5(text, size, digest);
    for (size_t i = 0; i < MD5_SIZE; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

/* The response value; of the server's answer where `verb` is "". */
static void prove(const struct credentials *credentials, const char *nonce, const char *verb, char hex[HEX_SIZE])
{
    char text[TEXT_SIZE];
    char first[HEX_SIZE];
    char second[HEX_SIZE];
    uint8_t secret[MD5_SIZE];
    int size = snprintf(text, sizeof text, "%s:%s:%s", credentials->user, realm, credentials->password);
    md5(text, (size_t)size, secret);
    memcpy(text, secret, MD5_SIZE);
    size = snprintf(text + MD5_SIZE, sizeof text - MD5_SIZE, ":%s:%s", nonce, cnonce);
    md5_hex(text, MD5_SIZE + (size_t)size, first);
    size = snprintf(text, sizeof text, "%s:%s", verb, uri);
    md5_hex(text, (size_t)size, second);
    size = snprintf(text, sizeof text, "%s:%s:%s:%s:auth:%s", first, nonce, count, cnonce, second);
    md5_hex(text, (size_t)size, hex);
}

bool sasl_peer_nonce(struct fk_bytes challenge, char *nonce, size_t size)
{
    char text[TEXT_SIZE];
    if (challenge.size == 0 || challenge.size >= sizeof text) {
        return false;
    }
    memcpy(text, challenge.data, challenge.size);
    text[challenge.size] = '\0';
    const char *start = strstr(text, "nonce=\"");
    if (start == NULL) {
        return false;
    }
    start += strlen("nonce=\"");
    size_t length = strcspn(start, "\"");
    if (length >= size) {
        return false;
    }
    memcpy(nonce, start, length);
    nonce[length] = '\0';
    return true;
}

static void shuffle(struct random *random, char (*fields)[TEXT_SIZE / 2])
{
    for (size_t i = FIELDS - 1; i > 0; i--) {
        char swap[TEXT_SIZE / 2];
        size_t other = random_below(random, i + 1);
        memcpy(swap, fields[i], sizeof swap);
        memcpy(fields[i], fields[other], sizeof swap);
        memcpy(fields[other], swap, sizeof swap);
    }
}

/* Makes the token one that nobody may take: fields 0 to 6 are those that must be there. */
static void estrange(struct random *random, char (*fields)[TEXT_SIZE / 2])
{
    static const char *const foreign[] = {"username=\"mallory\"",
                                          "realm=\"other\"",
                                          "nonce=\"b3RoZXI=\"",
                                          "cnonce=\"\"",
                                          "nc=00000002",
                                          "digest-uri=\"zookeeper/other\"",
                                          "response=00000000000000000000000000000000"};
    size_t field = random_below(random, sizeof foreign / sizeof foreign[0]);
    switch (random_below(random, 3)) {
    case 0:
        fields[field][0] = '\0';
        break;
    case 1: {
        char once[TEXT_SIZE / 4];
        (void)snprintf(once, sizeof once, "%s", fields[field]);
        (void)snprintf(fields[field], sizeof fields[field], "%s,%s", once,
                       random_one_in(random, 2) ? once : foreign[field]);
        break;
    }
    default:
        (void)snprintf(fields[field], sizeof fields[field], "%s", foreign[field]);
        break;
    }
}

void sasl_peer_response(struct random *random, const struct credentials *credentials, const char *nonce, bool strange,
                        struct fk_buf *token)
{
    char fields[FIELDS][TEXT_SIZE / 2];
    char hex[HEX_SIZE];
    prove(credentials, nonce, "AUTHENTICATE", hex);
    (void)snprintf(fields[0], sizeof fields[0], "username=\"%s\"", credentials->user);
    (void)snprintf(fields[1], sizeof fields[1], "realm=\"%s\"", realm);
    (void)snprintf(fields[2], sizeof fields[2], "nonce=\"%s\"", nonce);
    (void)snprintf(fields[3], sizeof fields[3], "cnonce=\"%s\"", cnonce);
    (void)snprintf(fields[4], sizeof fields[4], "nc=%s", count);
    (void)snprintf(fields[5], sizeof fields[5], "digest-uri=\"%s\"", uri);
    (void)snprintf(fields[6], sizeof fields[6], "response=%s", hex);
    (void)snprintf(fields[7], sizeof fields[7], "%s", random_one_in(random, 2) ? "qop=auth" : "");
    (void)snprintf(fields[8], sizeof fields[8], "%s", random_one_in(random, 2) ? "charset=utf-8" : "");
    if (strange) {
        estrange(random, fields);
    }
    shuffle(random, fields);
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i][0] != '\0') {
            fk_buf_append(token, fk_bytes_text(token->size == 0 ? "" : random_one_in(random, 4) ? ", " : ","));
            fk_buf_append(token, fk_bytes_text(fields[i]));
        }
    }
}

bool sasl_peer_proved(const struct credentials *credentials, const char *nonce, struct fk_bytes answer)
{
    char text[TEXT_SIZE];
    char hex[HEX_SIZE];
    prove(credentials, nonce, "", hex);
    (void)snprintf(text, sizeof text, "rspauth=%s", hex);
    return fk_bytes_equal_text(answer, text);
}
