// SPDX-License-Identifier: Apache-2.0
/*
 * fk-stub-aws: answers what a gateway asks of DynamoDB and SQS, over plain HTTP, each after a fixed time. For figures
 * of the gateway alone (gateway.py): it keeps items, and believes that every condition holds. It is no emulator.
 *
 *     fk-stub-aws DELAY_MS [CHILDREN [NAME_SIZE [DATA_SIZE]]]       prints its port; one deployment, "bench"
 *
 * With CHILDREN there is a node /many with so many children n0000000, n0000001, ... (and x up to NAME_SIZE, 8), each
 * with DATA_SIZE (1000) bytes of data: up to 700 in its record, more in an item of its own, which nobody asks for. GET
 * /counts on the port tells how often each action was asked for.
 */
#include "base/base64.h"
#include "function/record.h"
#include "wire/records.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    INPUT_MAX = 8 * 1024 * 1024,
    READ_SIZE = 64 * 1024,
    LONG_POLL_MS = 1000,
    KEY_MAX = 4096,
    CHILD_DIGITS = 7, /* behind an n */
    NAME_SIZE_MAX = 255,
    INLINE_MAX = 700,
    CREATED_ZXID = 1,
    PAGE_SIZE = 1024 * 1024, /* DynamoDB ends a page at it */
};

#define PARENT "/many"

struct client {
    uv_tcp_t socket;
    uv_timer_t timer;
    uv_write_t write;
    char *in;
    size_t in_size;
    size_t in_room;
    char *out;
    size_t out_size;
    int handles;
    int closing;
    int busy; /* an answer is on its way: requests of a connection come one after the other */
};

static uv_loop_t *loop;
static json_t *items; /* by partition, newline, name */
static unsigned long delay_ms;
static int port;
static json_t *counts; /* of actions */
static unsigned long children;
static size_t name_size = CHILD_DIGITS + 1;
static size_t data_size = 1000;
static char *child_value;      /* the same for all of them, as base64 */
static size_t child_item_size; /* as DynamoDB counts it */
static char *partition;        /* of the children, as base64 */

static void fail(const char *what)
{
    (void)fprintf(stderr, "fk-stub-aws: %s\n", what);
    exit(1);
}

/* --- DynamoDB --- */

static const char *attribute(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, name), "B"));
    return text == NULL ? "" : text;
}

static void key_of(const json_t *object, char key[KEY_MAX])
{
    if (snprintf(key, KEY_MAX, "%s\n%s", attribute(object, "p"), attribute(object, "n")) >= KEY_MAX) {
        fail("a key is too long");
    }
}

static json_t *find(const json_t *object)
{
    char key[KEY_MAX];
    key_of(object, key);
    return json_object_get(items, key);
}

static void put(json_t *item)
{
    char key[KEY_MAX];
    key_of(item, key);
    (void)json_object_set(items, key, item);
}

static void drop(const json_t *object)
{
    char key[KEY_MAX];
    key_of(object, key);
    (void)json_object_del(items, key);
}

static json_t *get_item(const json_t *request)
{
    json_t *found = find(json_object_get(request, "Key"));
    return found == NULL ? json_object() : json_pack("{s:O}", "Item", found);
}

static json_t *batch_get(const json_t *request)
{
    json_t *answer = json_pack("{s:{}, s:{}}", "Responses", "UnprocessedKeys");
    const char *table = NULL;
    json_t *wanted = NULL;
    json_object_foreach(json_object_get(request, "RequestItems"), table, wanted)
    {
        json_t *list = json_array();
        size_t i = 0;
        json_t *key = NULL;
        json_array_foreach(json_object_get(wanted, "Keys"), i, key)
        {
            json_t *found = find(key);
            if (found != NULL) {
                (void)json_array_append(list, found);
            }
        }
        (void)json_object_set_new(json_object_get(answer, "Responses"), table, list);
    }
    return answer;
}

static json_t *write_items(const json_t *request)
{
    size_t i = 0;
    json_t *action = NULL;
    json_array_foreach(json_object_get(request, "TransactItems"), i, action)
    {
        json_t *item = json_object_get(json_object_get(action, "Put"), "Item");
        const json_t *gone = json_object_get(json_object_get(action, "Delete"), "Key");
        if (item != NULL) {
            put(item);
        } else if (gone != NULL) {
            drop(gone);
        }
    }
    return json_object();
}

/* --- the children of PARENT --- */

/* Text of a buffer, which is ended by that. */
static char *text_of(struct fk_buf *buf)
{
    fk_buf_append(buf, fk_bytes_of("", 1));
    if (buf->failed) {
        fail("no memory");
    }
    char *text = strdup((const char *)fk_buf_view(buf).data);
    fk_buf_deinit(buf);
    return text;
}

static char *base64(struct fk_bytes bytes)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_base64_append(&buf, bytes);
    return text_of(&buf);
}

static void put_value(struct fk_key key, struct fk_bytes value)
{
    char *parts[] = {base64(key.partition), base64(key.name), base64(value)};
    json_t *item = json_pack("{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}", "p", "B", parts[0], "n", "B", parts[1], "s", "N",
                             "1", "v", "B", parts[2]);
    put(item);
    json_decref(item);
    for (size_t i = 0; i < 3; i++) {
        free(parts[i]);
    }
}

static void add_children(void)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_node_record record = {.exists = true,
                                    .zxid = CREATED_ZXID,
                                    .node = {.path = FK_BYTES_LITERAL(PARENT),
                                             .data = FK_BYTES_LITERAL(""),
                                             .acl = FK_ACL_OPEN,
                                             .czxid = CREATED_ZXID,
                                             .mzxid = CREATED_ZXID,
                                             .pzxid = CREATED_ZXID,
                                             .created_children = (int32_t)children,
                                             .num_children = (int32_t)children}};
    fk_node_record_write(&value, &record);
    put_value(fk_key_node(&arena, record.node.path), fk_buf_view(&value));
    fk_buf_clear(&value);
    fk_zx_record_write(&value, &(struct fk_zx_record){.zxid = CREATED_ZXID});
    put_value(fk_key_zx(), fk_buf_view(&value));
    fk_buf_clear(&value);
    static const uint8_t data[INLINE_MAX];
    bool fits = data_size <= INLINE_MAX;
    record.node.data = (struct fk_bytes){fits ? data : NULL, data_size};
    record.node.num_children = record.node.created_children = 0;
    record.place = fits ? FK_DATA_INLINE : FK_DATA_ITEM;
    record.attempt = fits ? FK_BYTES_NULL : FK_BYTES_LITERAL("0123456789abcdef0123456789abcdef");
    fk_node_record_write(&value, &record);
    child_value = base64(fk_buf_view(&value));
    struct fk_bytes key = fk_partition_children(&arena, FK_BYTES_LITERAL(PARENT));
    partition = base64(key);
    child_item_size = key.size + name_size + fk_buf_view(&value).size + 4 + 11;
    fk_buf_deinit(&value);
    fk_arena_deinit(&arena);
}

/* The name of a child, as base64. */
static char *child_name(unsigned long number)
{
    char text[NAME_SIZE_MAX + 32];
    int size = snprintf(text, sizeof text, "n%0*lu", CHILD_DIGITS, number);
    memset(text + size, 'x', name_size - (size_t)size);
    return base64(fk_bytes_of(text, name_size));
}

/* The number of the first child behind a name. */
static unsigned long first_behind(const char *name)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_bytes bytes = FK_BYTES_NULL;
    unsigned long number = 0;
    if (fk_base64_read(fk_bytes_text(name), &arena, &bytes) == FK_OK && bytes.size == name_size) {
        for (size_t i = 1; i <= CHILD_DIGITS; i++) {
            number = 10 * number + (unsigned long)(bytes.data[i] - '0');
        }
        number++;
    }
    fk_arena_deinit(&arena);
    return number;
}

static void append(struct fk_buf *buf, const char *text)
{
    fk_buf_append(buf, fk_bytes_text(text));
}

/* One page of the children as text: their number is what is measured, and jansson would be most of it. */
static char *list_children(const json_t *request)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    unsigned long number = first_behind(attribute(json_object_get(request, "ExpressionAttributeValues"), ":n"));
    json_t *most = json_object_get(request, "Limit");
    size_t limit = most == NULL ? SIZE_MAX : (size_t)json_integer_value(most);
    char *name = NULL;
    append(&buf, "{\"Items\":[");
    for (size_t size = 0; number < children && limit > 0 && size + child_item_size <= PAGE_SIZE; limit--) {
        free(name);
        name = child_name(number++);
        append(&buf, size == 0 ? "{\"n\":{\"B\":\"" : ",{\"n\":{\"B\":\"");
        append(&buf, name);
        append(&buf, "\"},\"s\":{\"N\":\"1\"},\"v\":{\"B\":\"");
        append(&buf, child_value);
        append(&buf, "\"}}");
        size += child_item_size;
    }
    append(&buf, "]");
    if (number < children) {
        append(&buf, ",\"LastEvaluatedKey\":{\"p\":{\"B\":\"");
        append(&buf, partition);
        append(&buf, "\"},\"n\":{\"B\":\"");
        append(&buf, name);
        append(&buf, "\"}}");
    }
    append(&buf, "}");
    free(name);
    return text_of(&buf);
}

static bool asks_for_children(const char *action, const json_t *request)
{
    const json_t *values = json_object_get(request, "ExpressionAttributeValues");
    return children > 0 && strcmp(action, "Query") == 0 && strcmp(attribute(values, ":p"), partition) == 0;
}

static void count(const char *action)
{
    (void)json_object_set_new(counts, action, json_integer(json_integer_value(json_object_get(counts, action)) + 1));
}

/* Sets *wait_ms. */
static json_t *answer_to(const char *action, const json_t *request, uint64_t *wait_ms)
{
    if (strcmp(action, "GetItem") == 0) {
        return get_item(request);
    }
    if (strcmp(action, "BatchGetItem") == 0) {
        return batch_get(request);
    }
    if (strcmp(action, "TransactWriteItems") == 0) {
        return write_items(request);
    }
    if (strcmp(action, "PutItem") == 0) {
        put(json_object_get(request, "Item"));
    } else if (strcmp(action, "DeleteItem") == 0) {
        drop(json_object_get(request, "Key"));
    } else if (strcmp(action, "Query") == 0) {
        return json_pack("{s:[], s:i}", "Items", "Count", 0);
    } else if (strcmp(action, "CreateQueue") == 0) {
        char url[128];
        (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/000000000000/gateway", port);
        return json_pack("{s:s}", "QueueUrl", url);
    } else if (strcmp(action, "ReceiveMessage") == 0) {
        *wait_ms = LONG_POLL_MS;
    } else if (strcmp(action, "SendMessage") == 0) {
        return json_pack("{s:s, s:s}", "MessageId", "1", "SequenceNumber", "1");
    }
    return json_object();
}

/* --- HTTP --- */

static void freed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    if (--client->handles == 0) {
        free(client->in);
        free(client->out);
        free(client);
    }
}

static void close_client(struct client *client)
{
    if (!client->closing) {
        client->closing = 1;
        uv_close((uv_handle_t *)&client->socket, freed);
        uv_close((uv_handle_t *)&client->timer, freed);
    }
}

static void take_request(struct client *client);

static void on_written(uv_write_t *write, int status)
{
    struct client *client = write->data;
    client->busy = 0;
    if (status < 0) {
        close_client(client);
    } else if (!client->closing) {
        take_request(client);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct client *client = timer->data;
    uv_buf_t buf = uv_buf_init(client->out, (unsigned)client->out_size);
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->socket, &buf, 1, on_written) != 0) {
        close_client(client);
    }
}

/* The value of a header, copied; "" where it is not there. */
static void header(const char *head, const char *name, char *value, size_t room)
{
    const char *at = strcasestr(head, name);
    value[0] = '\0';
    if (at != NULL) {
        at += strlen(name);
        at += strspn(at, ": ");
        (void)snprintf(value, room, "%.*s", (int)strcspn(at, "\r\n"), at);
    }
}

/* The answer as text; sets *wait_ms. */
static char *answer_text(const char *action, const json_t *request, uint64_t *wait_ms)
{
    if (asks_for_children(action, request)) {
        return list_children(request);
    }
    json_t *answer = strcmp(action, "counts") == 0 ? json_incref(counts) : answer_to(action, request, wait_ms);
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    return text;
}

static void respond(struct client *client, const char *head, char *body, size_t size)
{
    char target[128];
    uint64_t wait_ms = delay_ms;
    header(head, "\r\nx-amz-target", target, sizeof target);
    const char *action = strrchr(target, '.');
    action = strncmp(head, "GET /counts", 11) == 0 ? "counts" : action == NULL ? "" : action + 1;
    json_t *request = json_loadb(body, size, 0, NULL);
    count(action);
    char *text = answer_text(action, request, &wait_ms);
    free(client->out);
    int length = asprintf(
        &client->out, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(text), text);
    if (length < 0) {
        fail("no memory");
    }
    client->out_size = (size_t)length;
    free(text);
    json_decref(request);
    client->busy = 1;
    (void)uv_timer_start(&client->timer, on_timer, wait_ms, 0);
}

static void take_request(struct client *client)
{
    char length[32];
    if (client->busy || client->in_size == 0) {
        return;
    }
    client->in[client->in_size] = '\0';
    char *end = memmem(client->in, client->in_size, "\r\n\r\n", 4);
    if (end == NULL) {
        return;
    }
    *end = '\0';
    header(client->in, "\r\ncontent-length", length, sizeof length);
    *end = '\r';
    size_t head_size = (size_t)(end - client->in) + 4;
    size_t body_size = strtoul(length, NULL, 10);
    if (client->in_size < head_size + body_size) {
        return;
    }
    *end = '\0';
    respond(client, client->in, client->in + head_size, body_size);
    client->in_size -= head_size + body_size;
    memmove(client->in, client->in + head_size + body_size, client->in_size);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = handle->data;
    (void)suggested;
    if (client->in_room - client->in_size < READ_SIZE + 1) {
        client->in_room += READ_SIZE + 1;
        client->in = realloc(client->in, client->in_room);
        if (client->in == NULL || client->in_room > INPUT_MAX) {
            fail("a request is too large");
        }
    }
    *buf = uv_buf_init(client->in + client->in_size, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct client *client = stream->data;
    (void)buf;
    if (size < 0) {
        close_client(client);
        return;
    }
    client->in_size += (size_t)size;
    take_request(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *client = status < 0 ? NULL : calloc(1, sizeof *client);
    if (client == NULL) {
        return;
    }
    (void)uv_tcp_init(loop, &client->socket);
    (void)uv_timer_init(loop, &client->timer);
    client->socket.data = client->timer.data = client;
    client->handles = 2;
    if (uv_accept(listener, (uv_stream_t *)&client->socket) != 0) {
        close_client(client);
        return;
    }
    (void)uv_tcp_nodelay(&client->socket, 1);
    (void)uv_read_start((uv_stream_t *)&client->socket, on_alloc, on_read);
}

static void add_deployment(void)
{
    char value[512];
    (void)snprintf(
        value, sizeof value,
        "{\"format\":1,\"topology\":\"single-hop\",\"bucket\":\"bench\",\"requests\":"
        "\"http://127.0.0.1:%d/000000000000/requests.fifo\",\"distributor\":\"\",\"heartbeat_schedule\":\"\"}",
        port);
    const struct fk_key key = {FK_BYTES_LITERAL("deployment"), FK_BYTES_LITERAL("deployment")};
    put_value(key, fk_bytes_text(value));
}

int main(int argc, char **argv)
{
    uv_tcp_t listener;
    struct sockaddr_in name;
    int size = sizeof name;
    delay_ms = argc > 1 ? strtoul(argv[1], NULL, 10) : 5;
    loop = uv_default_loop();
    children = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    name_size = argc > 3 ? strtoul(argv[3], NULL, 10) : name_size;
    data_size = argc > 4 ? strtoul(argv[4], NULL, 10) : data_size;
    if (children > 9999999 || name_size <= CHILD_DIGITS || name_size > NAME_SIZE_MAX) {
        fail("up to 9999999 children, names of 8 to 255 bytes");
    }
    items = json_object();
    counts = json_object();
    (void)uv_tcp_init(loop, &listener);
    (void)uv_ip4_addr("127.0.0.1", 0, &name);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&name, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&name, &size) != 0) {
        fail("can't listen");
    }
    port = ntohs(name.sin_port);
    add_deployment();
    if (children > 0) {
        add_children();
    }
    (void)printf("%d\n", port);
    (void)fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
