// SPDX-License-Identifier: Apache-2.0
/* The log of the process: what happened, with a level and typed fields. Where records go, when they were made and how
 * they look is the sink's affair, which the host sets; without a sink they are dropped. So the core has no clock here.
 * Thread-safe as far as the sink is. */
#ifndef FK_BASE_LOG_H
#define FK_BASE_LOG_H

#include "base/bytes.h"

enum fk_log_level {
    FK_LOG_ERROR, /* something is lost or broken; somebody has to look */
    FK_LOG_WARN,  /* it goes on, but not as it should */
    FK_LOG_INFO,
    FK_LOG_DEBUG,
};

enum fk_log_kind {
    FK_LOG_NUMBER,
    FK_LOG_ID, /* a session or a zxid: hexadecimal with 0x, as ZooKeeper prints them */
    FK_LOG_TEXT,
};

struct fk_log_field {
    const char *key; /* a name of letters, digits and '_' */
    enum fk_log_kind kind;
    int64_t number;
    struct fk_bytes text; /* any bytes */
};

/* One place in the source that logs: the sink limits each of them on its own, in the fields behind `line`. */
struct fk_log_site {
    const char *file;
    const char *module; /* NULL: the directory of the file below src */
    int line;
    int64_t window_ms; /* when the sink's counting began */
    int32_t passed;
    int32_t suppressed;
    struct fk_log_site *next; /* of those with suppressed records */
};

struct fk_log_record {
    struct fk_log_site *site;
    enum fk_log_level level;
    const char *message; /* any bytes but NUL */
    const struct fk_log_field *fields;
    size_t field_count;
};

typedef void (*fk_log_sink_fn)(const struct fk_log_record *record);

/* Set once, before any other thread runs. */
void fk_log_set(fk_log_sink_fn sink, enum fk_log_level level);
/* Would a record of this level be kept? For what is costly to prepare. */
bool fk_log_wants(enum fk_log_level level);
/* Reads error, warn, info or debug; false for anything else. */
bool fk_log_level_parse(const char *text, enum fk_log_level *level);
const char *fk_log_level_text(enum fk_log_level level);

static inline struct fk_log_field fk_log_number(const char *key, int64_t number)
{
    return (struct fk_log_field){.key = key, .kind = FK_LOG_NUMBER, .number = number};
}

static inline struct fk_log_field fk_log_id(const char *key, int64_t id)
{
    return (struct fk_log_field){.key = key, .kind = FK_LOG_ID, .number = id};
}

static inline struct fk_log_field fk_log_bytes(const char *key, struct fk_bytes text)
{
    return (struct fk_log_field){.key = key, .kind = FK_LOG_TEXT, .text = text};
}

/* NULL: an empty text. */
struct fk_log_field fk_log_text(const char *key, const char *text);

void fk_log_print(struct fk_log_site *site, enum fk_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fk_log_put(struct fk_log_site *site, enum fk_log_level level, const char *message,
                const struct fk_log_field *fields, size_t field_count);

/* A sentence, printf-like. */
#define fk_log(level, ...)                                                                                             \
    do {                                                                                                               \
        static struct fk_log_site fk_site = {.file = __FILE__, .line = __LINE__};                                      \
        fk_log_print(&fk_site, (level), __VA_ARGS__);                                                                  \
    } while (0)

/* A fixed sentence and fields: fk_log_with(FK_LOG_INFO, "session expired", fk_log_id("session", id)). */
#define fk_log_with(level, message, ...) FK_LOG_FIELDS(NULL, (level), (message), __VA_ARGS__)

/* The same for what somebody who watches over security wants to see in one place (module "security"). Never with a
 * secret, nor with what a client sent as one. */
#define fk_log_security(level, message, ...) FK_LOG_FIELDS("security", (level), (message), __VA_ARGS__)

#define FK_LOG_FIELDS(module_name, level, message, ...)                                                                \
    do {                                                                                                               \
        static struct fk_log_site fk_site = {.file = __FILE__, .module = (module_name), .line = __LINE__};             \
        const struct fk_log_field fk_fields[] = {__VA_ARGS__};                                                         \
        fk_log_put(&fk_site, (level), (message), fk_fields, sizeof fk_fields / sizeof fk_fields[0]);                   \
    } while (0)

#endif
