// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_listen.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_PORT = 2181,
};

bool fk_serve_listen_add(struct fk_serve_listen *listen, const char *text)
{
    static const char prefix[] = "tls:";
    bool tls = strncmp(text, prefix, sizeof prefix - 1) == 0;
    if (listen->count == FK_LISTEN_OPTIONS_MAX) {
        return false;
    }
    listen->items[listen->count++] = (struct fk_listen){.address = tls ? text + sizeof prefix - 1 : text,
                                                        .mode = tls ? FK_LISTEN_TLS : FK_LISTEN_PLAIN};
    return true;
}

static void add_port(struct fk_serve_listen *listen, size_t slot, const char *host, int32_t port,
                     enum fk_listen_mode mode)
{
    const char *name = host == NULL ? "127.0.0.1" : host;
    bool six = strchr(name, ':') != NULL && name[0] != '[';
    (void)snprintf(listen->text[slot], sizeof listen->text[slot], six ? "[%s]:%d" : "%s:%d", name, port);
    listen->items[listen->count++] = (struct fk_listen){.address = listen->text[slot], .mode = mode};
}

/* True where one of the kind was handed over. */
static bool add_activated(struct fk_serve_listen *listen, bool secure)
{
    bool found = false;
    for (size_t i = 0; i < listen->activated_count; i++) {
        const struct fk_activated *socket = &listen->activated[i];
        if (socket->secure == secure) {
            listen->items[listen->count++] = (struct fk_listen){.address = socket->address,
                                                                .mode = secure ? FK_LISTEN_TLS : FK_LISTEN_PLAIN,
                                                                .descriptor = socket->descriptor};
            found = true;
        }
    }
    return found;
}

void fk_serve_listen_configure(struct fk_serve_listen *listen, const struct fk_config *config)
{
    const struct fk_config_tls *tls = &config->tls;
    bool asked = listen->count > 0;
    bool plain = add_activated(listen, false);
    bool secure = add_activated(listen, true);
    bool secure_only = config->client_port == -1 && (tls->port != -1 || secure);
    if (!asked && !plain && !secure_only) {
        add_port(listen, 0, config->client_address, config->client_port == -1 ? DEFAULT_PORT : config->client_port,
                 FK_LISTEN_PLAIN);
    }
    for (size_t i = 0; i < listen->count && tls->port_unification; i++) {
        listen->items[i].mode = listen->items[i].mode == FK_LISTEN_PLAIN ? FK_LISTEN_EITHER : listen->items[i].mode;
    }
    if (!secure && tls->port != -1) {
        add_port(listen, 1, tls->address, tls->port, FK_LISTEN_TLS);
    }
}

bool fk_serve_listen_tls(const struct fk_serve_listen *listen)
{
    bool found = false;
    for (size_t i = 0; i < listen->count; i++) {
        found = found || listen->items[i].mode != FK_LISTEN_PLAIN;
    }
    return found;
}
