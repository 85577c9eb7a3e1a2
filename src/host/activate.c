// SPDX-License-Identifier: Apache-2.0
#include "host/activate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    FIRST_DESCRIPTOR = 3, /* SD_LISTEN_FDS_START */
};

static bool is_listening_stream(int descriptor)
{
    int type = 0;
    int listening = 0;
    socklen_t size = sizeof type;
    bool stream = getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
    size = sizeof listening;
    return stream && getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening == 1;
}

/* False for an address that --listen has no text for, an abstract name for instance. */
static bool address_text(int descriptor, char text[FK_ACTIVATED_ADDRESS_SIZE])
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof name;
    char host[INET6_ADDRSTRLEN];
    if (getsockname(descriptor, (struct sockaddr *)&name, &size) != 0) {
        return false;
    }
    if (name.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&name;
        (void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        (void)snprintf(text, FK_ACTIVATED_ADDRESS_SIZE, "%s:%u", host, ntohs(four->sin_port));
        return true;
    }
    if (name.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&name;
        (void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        (void)snprintf(text, FK_ACTIVATED_ADDRESS_SIZE, "[%s]:%u", host, ntohs(six->sin6_port));
        return true;
    }
    const struct sockaddr_un *local = (const struct sockaddr_un *)(const void *)&name;
    (void)snprintf(text, FK_ACTIVATED_ADDRESS_SIZE, "unix:%.*s", (int)sizeof local->sun_path, local->sun_path);
    return name.ss_family == AF_UNIX && size > sizeof name.ss_family && local->sun_path[0] == '/';
}

/* Whether the name at `*names` is `secure`; goes on to the next one. */
static bool next_is_secure(const char **names)
{
    static const char secure[] = "secure";
    size_t size = strcspn(*names, ":");
    bool found = size == sizeof secure - 1 && memcmp(*names, secure, size) == 0;
    *names += (*names)[size] == ':' ? size + 1 : size;
    return found;
}

static enum fk_err take(struct fk_activated items[], long number, const char *names, size_t *count,
                        struct fk_diag *diag)
{
    for (int i = 0; i < number; i++) {
        struct fk_activated *item = &items[i];
        item->descriptor = FIRST_DESCRIPTOR + i;
        item->secure = next_is_secure(&names);
        if (!is_listening_stream(item->descriptor) || !address_text(item->descriptor, item->address)) {
            fk_diag_set(diag,
                        "LISTEN_FDS: descriptor %d is not a listening TCP or unix socket (ListenStream=, Accept=no)",
                        item->descriptor);
            return FK_ERR_USAGE;
        }
        (void)fcntl(item->descriptor, F_SETFD, FD_CLOEXEC);
    }
    *count = (size_t)number;
    return FK_OK;
}

enum fk_err fk_activate_take(struct fk_activated items[FK_ACTIVATED_MAX], size_t *count, struct fk_diag *diag)
{
    const char *process = getenv("LISTEN_PID");
    const char *number_text = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    enum fk_err err = FK_OK;
    *count = 0;
    if (process != NULL && number_text != NULL && strtoll(process, NULL, 10) == (long long)getpid()) {
        long number = strtol(number_text, NULL, 10);
        if (number < 0 || number > FK_ACTIVATED_MAX) {
            fk_diag_set(diag, "LISTEN_FDS: %ld sockets; 0 to %d can be taken", number, FK_ACTIVATED_MAX);
            return FK_ERR_USAGE;
        }
        err = take(items, number, names == NULL ? "" : names, count, diag);
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return err;
}
