// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_internal.h"

#include "base/digest.h"

#include <stdlib.h>

/* Cuts the next word off; NULL behind the last. */
static char *next_word(char **at)
{
    *at += strspn(*at, " ");
    char *word = *at;
    if (*word == '\0') {
        return NULL;
    }
    *at += strcspn(*at, " ");
    if (**at != '\0') {
        *(*at)++ = '\0';
    }
    return word;
}

bool sim_line_parse(struct sim_line *line, const char *text, size_t size)
{
    memset(line, 0, sizeof *line);
    if (size >= sizeof line->text) {
        return false;
    }
    memcpy(line->text, text, size);
    for (size_t i = 0; i < SIM_WORDS_MAX; i++) {
        line->words[i] = "";
    }
    char *at = line->text;
    const char *who = next_word(&at);
    line->verb = next_word(&at);
    if (who == NULL || line->verb == NULL || *who < '0' || *who > '0' + SIM_SCENARIO_CLIENTS) {
        return false;
    }
    line->client = *who - '0';
    line->wait = who[1] != '&';
    char *word = NULL;
    for (size_t i = 0; i < SIM_WORDS_MAX && (word = next_word(&at)) != NULL;) {
        if (*word == '=') {
            line->has_code = true;
            line->code = (int32_t)strtol(word + 1, NULL, 10);
        } else {
            line->words[i++] = word;
        }
    }
    return true;
}

static int32_t flags_of(const char *word)
{
    return (strchr(word, 'e') != NULL ? FK_CREATE_EPHEMERAL : 0) |
           (strchr(word, 's') != NULL ? FK_CREATE_SEQUENTIAL : 0);
}

static int32_t version_of(const char *word)
{
    return *word == '\0' ? -1 : (int32_t)strtol(word, NULL, 10);
}

static int32_t create_request(const struct sim_line *line, struct fk_buf *body, int32_t op)
{
    bool container = strchr(line->words[2], 'c') != NULL;
    sim_body_create(body, line->words[0], fk_bytes_text(line->words[1]), FK_ACL_OPEN,
                    container ? 4 : flags_of(line->words[2]));
    return container ? FK_OP_CREATE_CONTAINER : op;
}

static int32_t create_verb(const struct sim_line *line, struct fk_buf *body)
{
    return create_request(line, body, FK_OP_CREATE);
}

static int32_t create2_verb(const struct sim_line *line, struct fk_buf *body)
{
    return create_request(line, body, FK_OP_CREATE2);
}

static int32_t ttl_verb(const struct sim_line *line, struct fk_buf *body)
{
    sim_body_create_ttl(body, line->words[0], fk_bytes_text(line->words[1]), 5, strtol(line->words[2], NULL, 10));
    return FK_OP_CREATE_TTL;
}

static int32_t delete_verb(const struct sim_line *line, struct fk_buf *body)
{
    sim_body_version(body, line->words[0], version_of(line->words[1]));
    return FK_OP_DELETE;
}

static int32_t set_verb(const struct sim_line *line, struct fk_buf *body)
{
    sim_body_set(body, line->words[0], fk_bytes_text(line->words[1]), version_of(line->words[2]));
    return FK_OP_SET_DATA;
}

static int32_t big_verb(const struct sim_line *line, struct fk_buf *body)
{
    struct fk_buf data = FK_BUF_EMPTY;
    size_t size = (size_t)strtoul(line->words[1], NULL, 10);
    for (size_t i = 0; i < size; i++) {
        fk_buf_append(&data, fk_bytes_of(&"0123456789abcdef"[(i + size) % 16], 1));
    }
    sim_body_set(body, line->words[0], fk_buf_view(&data), -1);
    fk_buf_deinit(&data);
    return FK_OP_SET_DATA;
}

static int32_t read_request(const struct sim_line *line, struct fk_buf *body, int32_t op)
{
    sim_body_read(body, line->words[0], line->words[1][0] == 'w');
    return op;
}

static int32_t get_verb(const struct sim_line *line, struct fk_buf *body)
{
    return read_request(line, body, FK_OP_GET_DATA);
}

static int32_t exists_verb(const struct sim_line *line, struct fk_buf *body)
{
    return read_request(line, body, FK_OP_EXISTS);
}

static int32_t ls_verb(const struct sim_line *line, struct fk_buf *body)
{
    return read_request(line, body, FK_OP_GET_CHILDREN);
}

static int32_t ls2_verb(const struct sim_line *line, struct fk_buf *body)
{
    return read_request(line, body, FK_OP_GET_CHILDREN2);
}

static int32_t sync_verb(const struct sim_line *line, struct fk_buf *body)
{
    sim_body_path(body, line->words[0]);
    return FK_OP_SYNC;
}

static int32_t getacl_verb(const struct sim_line *line, struct fk_buf *body)
{
    sim_body_path(body, line->words[0]);
    return FK_OP_GET_ACL;
}

/* setacl PATH PERMS USER:PASSWORD, or PERMS alone for everybody. */
static int32_t setacl_verb(const struct sim_line *line, struct fk_buf *body)
{
    struct fk_buf text = FK_BUF_EMPTY;
    struct fk_buf acl = FK_BUF_EMPTY;
    if (line->words[2][0] == '\0') {
        fk_buf_print(&text, "%s world anyone", line->words[1]);
    } else {
        fk_buf_print(&text, "%s digest ", line->words[1]);
        (void)fk_digest_id(fk_bytes_text(line->words[2]), &text);
    }
    fk_buf_append(&text, fk_bytes_of("", 1));
    sim_body_acl(&acl, (const char *)text.data);
    sim_body_set_acl(body, line->words[0], fk_buf_view(&acl), -1);
    fk_buf_deinit(&acl);
    fk_buf_deinit(&text);
    return FK_OP_SET_ACL;
}

static int32_t watch_verb(const struct sim_line *line, struct fk_buf *body)
{
    sim_body_add_watch(body, line->words[0], version_of(line->words[1]));
    return FK_OP_ADD_WATCH;
}

static int32_t close_verb(const struct sim_line *line, struct fk_buf *body)
{
    (void)line;
    (void)body;
    return FK_OP_CLOSE_SESSION;
}

/* Words of the form verb:path:argument[:flags]. */
static int32_t multi_verb(const struct sim_line *line, struct fk_buf *body)
{
    for (size_t i = 0; i < SIM_WORDS_MAX && line->words[i][0] != '\0'; i++) {
        struct sim_line part = {.text = ""};
        char *at = part.text;
        (void)strncpy(part.text, line->words[i], sizeof part.text - 1);
        for (char *colon = at; (colon = strchr(colon, ':')) != NULL;) {
            *colon = ' ';
        }
        for (size_t k = 0; k < SIM_WORDS_MAX; k++) {
            part.words[k] = "";
        }
        part.verb = next_word(&at);
        const char *word = NULL;
        for (size_t k = 0; k < SIM_WORDS_MAX && (word = next_word(&at)) != NULL; k++) {
            part.words[k] = word;
        }
        size_t header_at = body->size;
        bool check = strcmp(part.verb, "check") == 0;
        sim_body_multi_next(body, FK_OP_CHECK);
        int32_t op = check ? delete_verb(&part, body) : sim_line_request(&part, body);
        fk_patch_i32(body, header_at, check ? FK_OP_CHECK : op);
    }
    sim_body_multi_end(body);
    return FK_OP_MULTI;
}

static const struct {
    const char *verb;
    int32_t (*build)(const struct sim_line *line, struct fk_buf *body);
} VERBS[] = {
    {"create", create_verb}, {"create2", create2_verb}, {"ttl", ttl_verb},     {"delete", delete_verb},
    {"set", set_verb},       {"big", big_verb},         {"get", get_verb},     {"exists", exists_verb},
    {"ls", ls_verb},         {"ls2", ls2_verb},         {"sync", sync_verb},   {"getacl", getacl_verb},
    {"setacl", setacl_verb}, {"watch", watch_verb},     {"close", close_verb}, {"multi", multi_verb},
};

int32_t sim_line_request(const struct sim_line *line, struct fk_buf *body)
{
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        if (strcmp(VERBS[i].verb, line->verb) == 0) {
            return VERBS[i].build(line, body);
        }
    }
    return 0;
}
