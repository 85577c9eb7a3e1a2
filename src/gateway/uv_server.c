// SPDX-License-Identifier: Apache-2.0
#include "gateway/uv_internal.h"

#include "base/alloc.h"
#include "base/assert.h"

struct fk_uv_server *fk_uv_server_new(const struct fk_uv_server_options *options)
{
    struct fk_uv_server *server = (struct fk_uv_server *)fk_alloc_zero(sizeof *server);
    uint8_t *buffer = (uint8_t *)fk_alloc(FK_UV_READ_SIZE);
    if (server == NULL || buffer == NULL) {
        fk_free(server);
        fk_free(buffer);
        return NULL;
    }
    server->options = *options;
    server->buffer = buffer;
    fk_list_init(&server->listeners);
    fk_list_init(&server->clients);
    return server;
}

void fk_uv_server_flush(struct fk_uv_server *server)
{
    struct fk_conn *conn = NULL;
    while ((conn = fk_gateway_take_output(server->options.gateway)) != NULL) {
        struct fk_uv_client *client = (struct fk_uv_client *)fk_conn_socket(conn);
        if (fk_conn_closing(conn) && client->writing && fk_buf_left(fk_conn_output(conn)) == 0) {
            /* Killed, or given up on: what libuv holds is not waited for. */
            fk_uv_client_close(client);
            continue;
        }
        fk_uv_client_set_reading(client, fk_conn_wants_input(conn));
        if (!client->closed) {
            fk_uv_client_send(client);
        }
    }
}

void fk_uv_server_pause(struct fk_uv_server *server)
{
    server->stopping = true;
    while (!fk_list_empty(&server->listeners)) {
        fk_uv_listener_close(FK_CONTAINER_OF(server->listeners.next, struct fk_uv_listener, link));
    }
}

void fk_uv_server_stop(struct fk_uv_server *server)
{
    fk_uv_server_pause(server);
    while (!fk_list_empty(&server->clients)) {
        fk_uv_client_close(FK_CONTAINER_OF(server->clients.next, struct fk_uv_client, link));
    }
}

void fk_uv_server_free(struct fk_uv_server *server)
{
    FK_ASSERT(fk_list_empty(&server->clients) && fk_list_empty(&server->listeners));
    fk_buf_deinit(&server->plain);
    fk_free(server->buffer);
    fk_free(server);
}
