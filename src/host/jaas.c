// SPDX-License-Identifier: Apache-2.0
#include "host/jaas.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024,
    TOKEN_SIZE_MAX = 4096,
    USERS_MAX = 10000, /* each attempt to authenticate looks at all of them */
};

enum token_kind {
    TOKEN_END,
    TOKEN_WORD, /* quoted or not */
    TOKEN_MARK, /* one of { } ; = */
};

struct parser {
    struct fk_bytes rest;
    const char *name;
    int line;
    struct fk_diag *diag;
    enum token_kind kind;
    int token_line;
    char mark;
    size_t size;
    char text[TOKEN_SIZE_MAX + 1];
};

static enum fk_err refuse(const struct parser *parser, int line, const char *what)
{
    fk_diag_set(parser->diag, "%s:%d: %s", parser->name, line, what);
    return FK_ERR_USAGE;
}

static void wipe_text(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        fk_free(text);
    }
}

void fk_jaas_login_deinit(struct fk_jaas_login *login)
{
    for (size_t i = 0; i < login->user_count; i++) {
        fk_free(login->users[i].name);
        wipe_text(login->users[i].password);
    }
    fk_free(login->users);
    fk_free(login->principal);
    fk_free(login->keytab);
    *login = FK_JAAS_LOGIN_EMPTY;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = (char *)fk_alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static uint8_t peek(const struct parser *parser, size_t at)
{
    return parser->rest.size > at ? parser->rest.data[at] : 0;
}

static void skip(struct parser *parser, size_t size)
{
    for (size_t i = 0; i < size && i < parser->rest.size; i++) {
        parser->line += parser->rest.data[i] == '\n' ? 1 : 0;
    }
    parser->rest = fk_bytes_tail(parser->rest, size);
}

/* Skips blanks and comments. */
static enum fk_err skip_blanks(struct parser *parser)
{
    while (parser->rest.size > 0) {
        uint8_t c = peek(parser, 0);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            skip(parser, 1);
        } else if (c == '/' && peek(parser, 1) == '/') {
            const uint8_t *end = (const uint8_t *)memchr(parser->rest.data, '\n', parser->rest.size);
            skip(parser, end == NULL ? parser->rest.size : (size_t)(end - parser->rest.data));
        } else if (c == '/' && peek(parser, 1) == '*') {
            const uint8_t *end = (const uint8_t *)memmem(parser->rest.data + 2, parser->rest.size - 2, "*/", 2);
            if (end == NULL) {
                return refuse(parser, parser->line, "this comment has no end");
            }
            skip(parser, (size_t)(end - parser->rest.data) + 2);
        } else {
            break;
        }
    }
    return FK_OK;
}

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
           (c != 0 && strchr("$_-*.", c) != NULL);
}

static bool add_char(struct parser *parser, uint8_t c)
{
    if (parser->size >= TOKEN_SIZE_MAX) {
        return false;
    }
    parser->text[parser->size++] = (char)c;
    return true;
}

/* Behind a backslash: as Java's StreamTokenizer reads it. */
static uint8_t take_escape(struct parser *parser)
{
    static const char letters[] = "abfnrtv";
    static const char values[] = "\a\b\f\n\r\t\v";
    uint8_t c = peek(parser, 0);
    if (c >= '0' && c <= '7') {
        unsigned value = 0;
        int digits_max = c <= '3' ? 3 : 2;
        for (int i = 0; i < digits_max && peek(parser, 0) >= '0' && peek(parser, 0) <= '7'; i++) {
            value = value * 8 + (peek(parser, 0) - '0');
            skip(parser, 1);
        }
        return (uint8_t)value;
    }
    const char *letter = c == 0 ? NULL : strchr(letters, c);
    skip(parser, 1);
    return letter == NULL ? c : (uint8_t)values[letter - letters];
}

static enum fk_err take_quoted(struct parser *parser, uint8_t quote)
{
    skip(parser, 1);
    for (;;) {
        uint8_t c = peek(parser, 0);
        if (parser->rest.size == 0 || c == '\n' || c == '\r') {
            return refuse(parser, parser->token_line, "this quoted text has no end on its line");
        }
        if (c == quote) {
            skip(parser, 1);
            return FK_OK;
        }
        skip(parser, 1);
        if (c == '\\') {
            if (parser->rest.size == 0 || peek(parser, 0) == '\n') {
                return refuse(parser, parser->token_line, "this quoted text has no end on its line");
            }
            c = take_escape(parser);
        }
        if (c == 0) {
            return refuse(parser, parser->token_line, "a NUL character stands in quoted text");
        }
        if (!add_char(parser, c)) {
            return refuse(parser, parser->token_line, "this text is too long");
        }
    }
}

static enum fk_err take_word(struct parser *parser)
{
    while (is_word(peek(parser, 0))) {
        if (!add_char(parser, peek(parser, 0))) {
            return refuse(parser, parser->token_line, "this text is too long");
        }
        skip(parser, 1);
    }
    return FK_OK;
}

static enum fk_err next(struct parser *parser)
{
    enum fk_err err = skip_blanks(parser);
    if (err != FK_OK) {
        return err;
    }
    uint8_t c = peek(parser, 0);
    explicit_bzero(parser->text, parser->size);
    parser->size = 0;
    parser->token_line = parser->line;
    if (parser->rest.size == 0) {
        parser->kind = TOKEN_END;
    } else if (c != 0 && strchr("{};=", c) != NULL) {
        parser->kind = TOKEN_MARK;
        parser->mark = (char)c;
        skip(parser, 1);
    } else if (c == '"' || c == '\'') {
        parser->kind = TOKEN_WORD;
        err = take_quoted(parser, c);
    } else if (is_word(c)) {
        parser->kind = TOKEN_WORD;
        err = take_word(parser);
    } else {
        return refuse(parser, parser->line,
                      "unexpected character; values other than letters, digits and $ _ - * . need quotes");
    }
    parser->text[parser->size] = '\0';
    return err;
}

static bool at_mark(const struct parser *parser, char mark)
{
    return parser->kind == TOKEN_MARK && parser->mark == mark;
}

static enum fk_err take_mark(struct parser *parser, char mark, const char *what)
{
    return at_mark(parser, mark) ? next(parser) : refuse(parser, parser->token_line, what);
}

static enum fk_err set_once(const struct parser *parser, char **out, const char *what)
{
    if (*out != NULL) {
        return refuse(parser, parser->token_line, what);
    }
    *out = copy_text(parser->text);
    return *out == NULL ? FK_ERR_NOMEM : FK_OK;
}

static bool has_user(const struct fk_jaas_login *login, const char *name)
{
    for (size_t i = 0; i < login->user_count; i++) {
        if (strcmp(login->users[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum fk_err add_user(const struct parser *parser, struct fk_jaas_login *login, const char *name)
{
    if (name[0] == '\0') {
        return refuse(parser, parser->token_line, "user_ needs a name behind it: user_NAME=\"password\"");
    }
    if (parser->size == 0) {
        return refuse(parser, parser->token_line, "an empty password is refused");
    }
    if (has_user(login, name)) {
        return refuse(parser, parser->token_line, "this user stands in the section already");
    }
    if (login->user_count >= USERS_MAX) {
        return refuse(parser, parser->token_line, "more than 10000 users");
    }
    if ((login->user_count & (login->user_count - 1)) == 0) { /* a power of two, or 0: full */
        size_t capacity = login->user_count == 0 ? 1 : login->user_count * 2;
        struct fk_jaas_user *users = (struct fk_jaas_user *)fk_realloc(login->users, capacity * sizeof *users);
        if (users == NULL) {
            return FK_ERR_NOMEM;
        }
        login->users = users;
    }
    struct fk_jaas_user user = {.name = copy_text(name), .password = copy_text(parser->text)};
    if (user.name == NULL || user.password == NULL) {
        fk_free(user.name);
        wipe_text(user.password);
        return FK_ERR_NOMEM;
    }
    login->users[login->user_count++] = user;
    return FK_OK;
}

/* One login module of the section that is looked for. */
struct module {
    bool kerberos;
    bool wanted;      /* of the section that is looked for */
    bool use_key_tab; /* useKeyTab=true */
    int line;
};

/* The value stands in the parser. */
static enum fk_err set_option(const struct parser *parser, struct fk_jaas_login *login, struct module *module,
                              const char *key)
{
    static const char user[] = "user_";
    if (strstr(parser->text, "${") != NULL) {
        return refuse(parser, parser->token_line, "${...} is not expanded; write the value itself");
    }
    if (strncmp(key, user, sizeof user - 1) == 0) {
        return add_user(parser, login, key + sizeof user - 1);
    }
    if (!module->kerberos) {
        return FK_OK;
    }
    if (strcmp(key, "useKeyTab") == 0) {
        module->use_key_tab = strcasecmp(parser->text, "true") == 0;
    } else if (strcmp(key, "keyTab") == 0) {
        return set_once(parser, &login->keytab, "keyTab stands in the section already");
    } else if (strcmp(key, "principal") == 0) {
        return set_once(parser, &login->principal, "principal stands in the section already");
    }
    return FK_OK;
}

static enum fk_err parse_option(struct parser *parser, struct fk_jaas_login *login, struct module *module)
{
    char key[256];
    if (parser->kind != TOKEN_WORD || parser->size == 0) {
        return refuse(parser, parser->token_line, "expected an option (name=value) or ';'");
    }
    if (parser->size >= sizeof key) {
        return refuse(parser, parser->token_line, "this option's name is too long");
    }
    memcpy(key, parser->text, parser->size + 1);
    enum fk_err err = next(parser);
    if (err == FK_OK) {
        err = take_mark(parser, '=', "expected '=' behind the name of an option");
    }
    if (err == FK_OK && parser->kind != TOKEN_WORD) {
        err = refuse(parser, parser->token_line, "expected a value behind '='");
    }
    if (err == FK_OK && module->wanted) {
        err = set_option(parser, login, module, key);
    }
    return err == FK_OK ? next(parser) : err;
}

static bool is_flag(const char *text)
{
    return strcasecmp(text, "required") == 0 || strcasecmp(text, "requisite") == 0 ||
           strcasecmp(text, "sufficient") == 0 || strcasecmp(text, "optional") == 0;
}

/* Kerberos needs a key that lies in a file: a server without it can prove nothing. */
static enum fk_err check_kerberos(const struct parser *parser, const struct fk_jaas_login *login,
                                  const struct module *module)
{
    const char *slash = login->principal == NULL ? NULL : strchr(login->principal, '/');
    if (!module->use_key_tab || login->keytab == NULL || login->keytab[0] == '\0') {
        return refuse(parser, module->line, "Krb5LoginModule needs useKeyTab=true and keyTab=\"FILE\"");
    }
    if (slash == NULL || slash == login->principal || slash[1] == '\0' || slash[1] == '@') {
        return refuse(parser, module->line, "Krb5LoginModule needs principal=\"SERVICE/HOST@REALM\"");
    }
    return FK_OK;
}

static enum fk_err parse_module(struct parser *parser, struct fk_jaas_login *login, bool wanted)
{
    static const char digest[] = "org.apache.zookeeper.server.auth.DigestLoginModule";
    struct module module = {.wanted = wanted, .line = parser->token_line};
    if (parser->kind != TOKEN_WORD) {
        return refuse(parser, parser->token_line, "expected the class of a login module or '}'");
    }
    module.kerberos = strcmp(parser->text, "com.sun.security.auth.module.Krb5LoginModule") == 0 ||
                      strcmp(parser->text, "com.ibm.security.auth.module.Krb5LoginModule") == 0;
    if (wanted && !module.kerberos && strcmp(parser->text, digest) != 0) {
        return refuse(parser, parser->token_line,
                      "unknown login module; known are org.apache.zookeeper.server.auth.DigestLoginModule and "
                      "com.sun.security.auth.module.Krb5LoginModule");
    }
    enum fk_err err = next(parser);
    if (err == FK_OK && (parser->kind != TOKEN_WORD || !is_flag(parser->text))) {
        err = refuse(parser, parser->token_line, "expected required, requisite, sufficient or optional");
    }
    err = err == FK_OK ? next(parser) : err;
    while (err == FK_OK && !at_mark(parser, ';')) {
        err = parse_option(parser, login, &module);
    }
    if (err == FK_OK && wanted && module.kerberos) {
        login->kerberos = true;
        err = check_kerberos(parser, login, &module);
    }
    return err == FK_OK ? next(parser) : err;
}

static enum fk_err parse_section(struct parser *parser, const char *section, struct fk_jaas_login *login)
{
    if (parser->kind != TOKEN_WORD || parser->size == 0) {
        return refuse(parser, parser->token_line, "expected the name of a section");
    }
    bool wanted = strcmp(parser->text, section) == 0;
    if (wanted && login->found) {
        return refuse(parser, parser->token_line, "this section stands in the file already");
    }
    login->found = login->found || wanted;
    enum fk_err err = next(parser);
    if (err == FK_OK) {
        err = take_mark(parser, '{', "expected '{' behind the name of a section");
    }
    while (err == FK_OK && !at_mark(parser, '}')) {
        err = parse_module(parser, login, wanted);
    }
    if (err == FK_OK) {
        err = next(parser);
    }
    return err == FK_OK ? take_mark(parser, ';', "expected ';' behind '}'") : err;
}

enum fk_err fk_jaas_parse(struct fk_bytes text, const char *name, const char *section, struct fk_jaas_login *login,
                          struct fk_diag *diag)
{
    struct parser parser = {.rest = text, .name = name, .line = 1, .diag = diag};
    *login = FK_JAAS_LOGIN_EMPTY;
    enum fk_err err = next(&parser);
    while (err == FK_OK && parser.kind != TOKEN_END) {
        err = parse_section(&parser, section, login);
    }
    explicit_bzero(&parser, sizeof parser);
    if (err != FK_OK) {
        fk_jaas_login_deinit(login);
    }
    return err;
}

enum fk_err fk_jaas_load(const char *path, const char *section, struct fk_jaas_login *login, struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    uint8_t *text = (uint8_t *)fk_alloc(FILE_SIZE_MAX + 1);
    FILE *file = fopen(path, "re");
    *login = FK_JAAS_LOGIN_EMPTY;
    if (text == NULL || file == NULL) {
        fk_diag_set(diag, "can't read %s: %s", path, strerror(errno));
        err = text == NULL ? FK_ERR_NOMEM : FK_ERR_IO;
    } else {
        (void)setvbuf(file, NULL, _IONBF, 0); /* no second copy of the secrets */
        size_t size = fread(text, 1, FILE_SIZE_MAX + 1, file);
        if (ferror(file) != 0) {
            fk_diag_set(diag, "can't read %s: %s", path, strerror(errno));
            err = FK_ERR_IO;
        } else if (size > FILE_SIZE_MAX) {
            fk_diag_set(diag, "%s is larger than %d bytes, which no login configuration is", path, FILE_SIZE_MAX);
            err = FK_ERR_USAGE;
        } else {
            err = fk_jaas_parse(fk_bytes_of(text, size), path, section, login, diag);
        }
        explicit_bzero(text, size);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    fk_free(text);
    return err;
}
