// SPDX-License-Identifier: Apache-2.0
/* The one error type of the project. Every code has a retry class, because half of our errors come from a network
 * store: PERMANENT (will not get better by itself), TRANSIENT (nothing was applied, try again), UNKNOWN (may have been
 * applied, now or later: read back, never assume). ZooKeeper's wire codes (-101 ...) are data, not errors: see
 * wire/codes.h. Bugs of ours are FK_ASSERT, not errors. */
#ifndef FK_BASE_ERR_H
#define FK_BASE_ERR_H

#if defined(FK_NODISCARD) /* a checker that does not know the attribute defines it empty */
#elif defined(__clang__)
#    define FK_NODISCARD __attribute__((warn_unused_result))
#else
#    define FK_NODISCARD [[nodiscard]]
#endif

/*    name            retry class  text */
#define FK_ERR_TABLE(X)                                                                                                \
    X(OK, PERMANENT, "no error")                                                                                       \
    X(NOMEM, TRANSIENT, "out of memory")                                                                               \
    X(INVALID, PERMANENT, "invalid argument")                                                                          \
    X(MALFORMED, PERMANENT, "bytes do not parse")                                                                      \
    X(TOO_LARGE, PERMANENT, "larger than its limit")                                                                   \
    X(NOT_FOUND, PERMANENT, "not found")                                                                               \
    X(EXISTS, PERMANENT, "exists already")                                                                             \
    X(REFUSED, TRANSIENT, "a condition failed, nothing was applied")                                                   \
    X(BUSY, TRANSIENT, "busy, nothing was applied")                                                                    \
    X(UNKNOWN, UNKNOWN, "timed out, may have been applied")                                                            \
    X(FULL, TRANSIENT, "no space left")                                                                                \
    X(IO, PERMANENT, "input or output failed")                                                                         \
    X(DAMAGED, PERMANENT, "stored data is damaged")                                                                    \
    X(VERSION, PERMANENT, "written by a newer version")                                                                \
    X(LOCKED, PERMANENT, "in use by another process")                                                                  \
    X(USAGE, PERMANENT, "usage or configuration")

enum FK_NODISCARD fk_err {
#define FK_ERR_ROW(name, retry, text) FK_ERR_##name,
    FK_ERR_TABLE(FK_ERR_ROW)
#undef FK_ERR_ROW
    FK_ERR_COUNT
};

#define FK_OK FK_ERR_OK

enum fk_retry {
    FK_RETRY_PERMANENT,
    FK_RETRY_TRANSIENT,
    FK_RETRY_UNKNOWN,
};

/* Static text of a code; never NULL. */
const char *fk_err_text(enum fk_err err);
enum fk_retry fk_err_retry(enum fk_err err);

/* Details for people: which key, which file, which host. An optional out-parameter at boundaries (configuration,
 * command line, drivers). The first message set is kept: it is the one nearest to the cause. */
struct fk_diag {
    char text[512];
};

/* Writes a message (printf-like, cut at the size of text) unless one is there already; diag may be NULL. */
void fk_diag_set(struct fk_diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
