// SPDX-License-Identifier: Apache-2.0
/* Which answer a request gets. */
#include "host/admin_internal.h"

static const char text_type[] = "text/plain; charset=utf-8";

static void answer_text(struct fk_admin_answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->type = text_type;
    fk_buf_print(&answer->body, "%s", text);
}

void fk_admin_set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static int append(const char *text, size_t size, void *context)
{
    struct fk_buf *out = (struct fk_buf *)context;
    fk_buf_append(out, fk_bytes_of(text, size));
    return out->failed ? -1 : 0;
}

static const struct fk_admin_command *find_command(struct fk_bytes name)
{
    for (size_t i = 0; i < fk_admin_command_count; i++) {
        const struct fk_admin_command *command = &fk_admin_commands[i];
        if (fk_bytes_equal_text(name, command->name) ||
            (command->alias != NULL && fk_bytes_equal_text(name, command->alias))) {
            return command;
        }
    }
    return NULL;
}

/* ZK: an unknown command is answered with 200 and an error. */
static void run_command(struct fk_admin_call *call, struct fk_bytes name, struct fk_admin_answer *answer)
{
    const struct fk_admin_command *command = find_command(name);
    call->answer = json_object();
    call->status = FK_HTTP_OK;
    if (command != NULL) {
        command->run(call);
        fk_admin_set(call->answer, "command", json_string(command->name));
    } else {
        struct fk_buf text = FK_BUF_EMPTY;
        fk_buf_print(&text, "Unknown command: %.*s", (int)name.size, (const char *)name.data);
        fk_admin_set(call->answer, "command", json_stringn((const char *)name.data, name.size));
        fk_admin_set(call->answer, "error", json_stringn((const char *)text.data, fk_buf_left(&text)));
        fk_buf_deinit(&text);
    }
    if (json_object_get(call->answer, "error") == NULL) {
        fk_admin_set(call->answer, "error", json_null());
    }
    answer->status = call->status;
    answer->type = "application/json";
    answer->more = call->more;
    if (json_dump_callback(call->answer, append, &answer->body, JSON_INDENT(2)) != 0) {
        answer->body.failed = true;
    }
    fk_buf_print(&answer->body, "\n");
    json_decref(call->answer);
}

/* ZK: links, and the names again. */
static void list_commands(const struct fk_admin_options *options, struct fk_admin_answer *answer)
{
    answer->status = FK_HTTP_OK;
    answer->type = "text/html; charset=utf-8";
    for (size_t i = 0; i < fk_admin_command_count; i++) {
        fk_buf_print(&answer->body, "<a href=\"%s/%s\">%s</a>\n<br/>\n", options->command_url,
                     fk_admin_commands[i].name, fk_admin_commands[i].name);
    }
}

/* True for the prefix itself and what is behind it; *rest is that, without the slash. */
static bool is_below(struct fk_bytes path, const char *prefix, struct fk_bytes *rest)
{
    size_t size = strlen(prefix);
    if (path.size < size || memcmp(path.data, prefix, size) != 0 || (path.size > size && path.data[size] != '/')) {
        return false;
    }
    *rest = path.size > size ? fk_bytes_tail(path, size + 1) : fk_bytes_tail(path, size);
    return true;
}

static bool answer_health(struct fk_gateway *gateway, const struct fk_admin_options *options, struct fk_bytes path,
                          struct fk_admin_answer *answer)
{
    if (fk_bytes_equal_text(path, "/metrics")) {
        answer->status = FK_HTTP_OK;
        answer->type = "text/plain; version=0.0.4; charset=utf-8";
        fk_admin_write_metrics(gateway, options, &answer->body);
    } else if (fk_bytes_equal_text(path, "/healthz") || fk_bytes_equal_text(path, "/livez")) {
        answer_text(answer, FK_HTTP_OK, "ok\n"); /* the loop that serves clients has answered */
    } else if (fk_bytes_equal_text(path, "/readyz")) {
        const char *unready = fk_gateway_unready(gateway);
        answer_text(answer, unready == NULL ? FK_HTTP_OK : 503, unready == NULL ? "ok" : unready);
        fk_buf_print(&answer->body, "\n");
    } else {
        return false;
    }
    return true;
}

void fk_admin_route(struct fk_gateway *gateway, const struct fk_admin_options *options, bool metrics_only,
                    const struct fk_http_request *request, struct fk_admin_answer *answer)
{
    struct fk_admin_call call = {.gateway = gateway, .options = options, .request = request};
    struct fk_bytes name;
    bool reads = fk_bytes_equal_text(request->method, "GET") || fk_bytes_equal_text(request->method, "HEAD");
    if (!reads && !fk_bytes_equal_text(request->method, "POST")) {
        answer->more = "Allow: GET, HEAD, POST\r\n";
        answer_text(answer, 405, "only GET, HEAD and POST are served here\n");
    } else if (answer_health(gateway, options, request->path, answer)) {
        return;
    } else if (metrics_only || !is_below(request->path, options->command_url, &name)) {
        answer_text(answer, 404,
                    metrics_only ? "here are /metrics, /healthz, /readyz\n"
                                 : "here are /commands, /metrics, /healthz, /readyz\n");
    } else if (name.size == 0) {
        list_commands(options, answer);
    } else {
        run_command(&call, name, answer);
    }
}
