// SPDX-License-Identifier: Apache-2.0
/*
 * fk-stub-aws: answers what a gateway asks of DynamoDB and SQS, over plain HTTP, each after a fixed time. For figures
 * of the gateway alone (gateway.py): it keeps items, and believes that every condition holds. It is no emulator.
 *
 *     fk-stub-aws DELAY_MS       prints its port; one deployment, "bench"
 */
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
};

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
static uint64_t answered;

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
    answered++;
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

static void respond(struct client *client, const char *head, char *body, size_t size)
{
    char target[128];
    uint64_t wait_ms = delay_ms;
    header(head, "\r\nx-amz-target", target, sizeof target);
    const char *action = strrchr(target, '.');
    json_t *request = json_loadb(body, size, 0, NULL);
    json_t *answer = answer_to(action == NULL ? "" : action + 1, request, &wait_ms);
    char *text = json_dumps(answer, JSON_COMPACT);
    free(client->out);
    int length = asprintf(
        &client->out, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(text), text);
    if (length < 0) {
        fail("no memory");
    }
    client->out_size = (size_t)length;
    free(text);
    json_decref(answer);
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
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[1024];
    size_t size = strlen(value);
    size_t at = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)(unsigned char)value[i] << 16;
        bits |= i + 1 < size ? (uint32_t)(unsigned char)value[i + 1] << 8 : 0;
        bits |= i + 2 < size ? (uint32_t)(unsigned char)value[i + 2] : 0;
        text[at++] = digits[bits >> 18 & 63];
        text[at++] = digits[bits >> 12 & 63];
        text[at++] = '=';
        text[at++] = '=';
        text[at - 2] = i + 1 < size ? digits[bits >> 6 & 63] : '=';
        text[at - 1] = i + 2 < size ? digits[bits & 63] : '=';
    }
    text[at] = '\0';
    static const char name[] = "ZGVwbG95bWVudA=="; /* "deployment" */
    json_t *item = json_pack("{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}", "p", "B", name, "n", "B", name, "s", "N", "1", "v",
                             "B", text);
    put(item);
    json_decref(item);
}

int main(int argc, char **argv)
{
    uv_tcp_t listener;
    struct sockaddr_in name;
    int size = sizeof name;
    delay_ms = argc > 1 ? strtoul(argv[1], NULL, 10) : 5;
    loop = uv_default_loop();
    items = json_object();
    (void)uv_tcp_init(loop, &listener);
    (void)uv_ip4_addr("127.0.0.1", 0, &name);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&name, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&name, &size) != 0) {
        fail("can't listen");
    }
    port = ntohs(name.sin_port);
    add_deployment();
    (void)printf("%d\n", port);
    (void)fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
