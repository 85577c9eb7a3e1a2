// SPDX-License-Identifier: Apache-2.0
/* faaskeeper digest: the id of a user and a password, for ACLs and superDigest. */
#include "base/digest.h"
#include "cli/cli.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
    CREDENTIALS_SIZE_MAX = 1024,
};

static const char help[] =
    "Usage: faaskeeper digest [options] USER\n"
    "Prints USER:HASH of the digest scheme, as ACLs and DigestAuthenticationProvider.superDigest want it.\n"
    "The password is read from the terminal, or is the first line of standard input.\n"
    "\n"
    "  --algorithm NAME   hash, as DigestAuthenticationProvider.digestAlg names it (default SHA1)\n"
    "  --help             this text\n"
    "\n"
    "Example: printf 'secret' | faaskeeper digest super\n"
    "Exit codes: 0 printed, 1 no password came, 2 usage.\n";

static int refuse(const char *text, const char *message)
{
    (void)fprintf(stderr, "faaskeeper digest: '%s': %s; see 'faaskeeper digest --help'\n", text, message);
    return FK_EXIT_USAGE;
}

/* Reads a line behind what is there; the terminal shows nothing meanwhile. False at the end of input, or where the
 * line is too long. */
static bool read_password(char *text, size_t size)
{
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before) == 0;
    size_t start = strlen(text);
    if (terminal) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs("Password: ", stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    bool ok = fgets(text + start, (int)(size - start), stdin) != NULL;
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    size_t end = start + strcspn(text + start, "\r\n");
    ok = ok && end > start && (text[end] != '\0' || feof(stdin) != 0);
    text[end] = '\0';
    return ok;
}

static int print_id(enum fk_digest_algorithm algorithm, const char *credentials)
{
    struct fk_buf id = FK_BUF_EMPTY;
    enum fk_err err = fk_digest_id_by(algorithm, fk_bytes_text(credentials), &id);
    if (err == FK_OK) {
        (void)printf("%.*s\n", (int)fk_buf_left(&id), (const char *)id.data);
    } else {
        (void)fprintf(stderr, "faaskeeper digest: %s\n", fk_err_text(err));
    }
    fk_buf_deinit(&id);
    return fk_cli_exit_code(err);
}

int fk_cli_digest(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"algorithm", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    enum fk_digest_algorithm algorithm = FK_DIGEST_SHA1;
    char credentials[CREDENTIALS_SIZE_MAX];
    int option = 0;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return FK_EXIT_OK;
        }
        if (option != 'a') {
            return refuse(argv[optind - 1], option == ':' ? "this option needs a value" : "unknown option");
        }
        if (!fk_digest_parse(optarg, &algorithm)) {
            return refuse(optarg, "no hash that Java knows by this name");
        }
    }
    if (optind + 1 != argc) {
        return refuse("USER", optind < argc ? "one name is expected" : "the name of a user is missing");
    }
    if (strchr(argv[optind], ':') != NULL) { /* it may be a password: not repeated */
        return refuse("USER", "a name has no ':'; the password is read from standard input, where nobody sees it");
    }
    int size = snprintf(credentials, sizeof credentials, "%s:", argv[optind]);
    if (size < 0 || (size_t)size >= sizeof credentials / 2 || !read_password(credentials, sizeof credentials)) {
        (void)fprintf(stderr, "faaskeeper digest: no password came, or a longer one than %d bytes\n",
                      CREDENTIALS_SIZE_MAX / 2);
        return FK_EXIT_ENVIRONMENT;
    }
    int code = print_id(algorithm, credentials);
    explicit_bzero(credentials, sizeof credentials);
    return code;
}
