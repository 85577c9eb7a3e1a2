// SPDX-License-Identifier: Apache-2.0
#include "host/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The size of the name; 0 where it is not one: '/path' or '@abstract'. */
static socklen_t manager_address(struct sockaddr_un *name)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t size = path == NULL ? 0 : strlen(path);
    if (size < 2 || size >= sizeof name->sun_path || (path[0] != '/' && path[0] != '@')) {
        return 0;
    }
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(name->sun_path, path, size);
    if (path[0] == '@') {
        name->sun_path[0] = '\0';
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void fk_notify(const char *format, ...)
{
    struct sockaddr_un name;
    char text[1024];
    va_list arguments;
    socklen_t name_size = manager_address(&name);
    if (name_size == 0) {
        return;
    }
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size <= 0) {
        return;
    }
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return;
    }
    size_t length = (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
    (void)sendto(descriptor, text, length, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&name, name_size);
    (void)close(descriptor);
}

uint64_t fk_notify_watchdog_ms(void)
{
    enum {
        US_PER_MS = 1000,
    };
    const char *text = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    if (text == NULL || (process != NULL && strtoll(process, NULL, 10) != (long long)getpid())) {
        return 0;
    }
    return strtoull(text, NULL, 10) / US_PER_MS;
}
