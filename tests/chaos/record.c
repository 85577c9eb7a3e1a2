// SPDX-License-Identifier: Apache-2.0
/*
 * record: clients under mixed load that write down what they asked and what they were told, until the server dies.
 *
 *   record --target HOST:PORT --out FILE --sessions FILE [--clients N] [--seed S] [--run N] [--value-size BYTES]
 *          [--history FILE] [--reads PERCENT] [--kill-pid PID --kill-after REPLIES [--kill-delay-us US] [--kill-signal
 * N]]
 *
 * It judges nothing but the form of what comes: crash.py holds the lines against a model. Client NN writes below /w/NN
 * alone and below /shared with the others; the nodes that both need are there before it starts. Lines of FILE, in the
 * order in which things happened: N client                                asks for a new session C client session
 * password timeout       has a session X client session                        its old session was refused S client
 * number operation               sent; operation is kind:path:..., a multi joins some with '|' R client number error
 * zxid result...    answered L client outstanding                    the connection is gone, so many requests have no
 * answer K replies                               the server is killed now E client text                           the
 * server broke the protocol A line of the sessions file is `client session password last-zxid`, session 0 for a new
 * one. After REPLIES answers it kills PID, then reads what is still in the sockets: that was answered too. Exit code: 0
 * all connections are gone, 1 protocol broken or no progress, 2 usage. With --history all frames go there too, one a
 * line, in the format of sim/history_file.c without its header: for `faaskeeper-sim --check`.
 */
#include "record.h"

#include "sim/history.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    DIAL_MS = 10000,
    STALL_MS = 30000, /* nothing from the server for so long: it hangs */
    SESSION_MS = 40000,
    READ_SIZE = 256 * 1024,
    CLIENTS_MAX = 256,
};

static void usage(const char *what)
{
    (void)fprintf(stderr, "record: %s\n", what);
    exit(2);
}

static void protocol_error(struct record *record, struct record_client *client, const char *text)
{
    (void)fprintf(record->log, "E %d %s\n", client->index, text);
    record->broken = true;
}

static void note(struct record *record, const struct record_client *client, enum sim_record_kind kind,
                 const uint8_t *frame, size_t size)
{
    static const struct sim_connection connection; /* its gateway and epoch are the server's affair */
    struct timespec now;
    if (record->history == NULL) {
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    struct sim_record line = {.time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
                              .kind = kind,
                              .client = (uint32_t)client->index,
                              .connection = client->connection,
                              .frame = fk_bytes_of(frame, size)};
    sim_history_write_record(record->history, &line, &connection);
}

/* What was put into the output behind `before`: one frame with its length. */
static void note_sent(struct record *record, const struct record_client *client, enum sim_record_kind kind,
                      size_t before)
{
    const uint8_t *frame = client->out.data + before + ZKRAW_FRAME_PREFIX_SIZE;
    note(record, client, kind, frame, client->out.size - before - ZKRAW_FRAME_PREFIX_SIZE);
}

static void lose(struct record *record, struct record_client *client)
{
    (void)fprintf(record->log, "L %d %zu\n", client->index, client->pending_count);
    if (client->connection != 0) {
        note(record, client, SIM_RECORD_LOST, NULL, 0);
    }
    (void)close(client->fd); /* leaves the epoll set with it */
    client->fd = -1;
    client->state = RECORD_GONE;
    record->alive--;
}

/* Waits out a part of a millisecond: the moment of the kill shall not be tied to an answer. */
static void kill_server(struct record *record)
{
    struct timespec delay = {.tv_nsec = record->kill_delay_us * 1000L};
    (void)nanosleep(&delay, NULL);
    (void)fprintf(record->log, "K %ld\n", record->replies);
    if (kill(record->kill_pid, record->kill_signal) != 0 && errno != ESRCH) {
        usage("cannot kill the server");
    }
    record->kill_pid = 0;
}

/* Sends the buffered bytes; what does not fit waits for EPOLLOUT. */
static void flush(struct record *record, struct record_client *client)
{
    while (client->fd >= 0 && client->out.size > 0) {
        ssize_t count = send(client->fd, client->out.data, client->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            zkraw_buf_consume(&client->out, (size_t)count);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            /* What the server sent before it died is still to be read: the read side finds the end. */
            client->out.size = 0;
        }
    }
    bool wait = client->fd >= 0 && client->out.size > 0;
    if (client->fd >= 0 && wait != client->wants_write) {
        struct epoll_event event = {.events = EPOLLIN | (wait ? (uint32_t)EPOLLOUT : 0), .data.ptr = client};
        (void)epoll_ctl(record->epoll, EPOLL_CTL_MOD, client->fd, &event);
        client->wants_write = wait;
    }
}

/* Dials and sends the handshake. */
static void begin_session(struct record *record, struct record_client *client)
{
    char error[ZKRAW_ERROR_SIZE];
    struct zkraw_connect request = {
        .last_zxid_seen = client->last_zxid, .timeout_ms = SESSION_MS, .session_id = client->session_id};
    memcpy(request.passwd, client->passwd, sizeof request.passwd);
    client->in.size = client->out.size = 0;
    client->wants_write = false;
    client->pending_count = 0;
    client->connection = 0;
    client->fd = zkraw_dial(record->target, DIAL_MS, error);
    if (client->fd < 0 || fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0) {
        lose(record, client);
        return;
    }
    if (client->session_id == 0) {
        (void)fprintf(record->log, "N %d\n", client->index);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    (void)epoll_ctl(record->epoll, EPOLL_CTL_ADD, client->fd, &event);
    client->state = RECORD_SHAKING;
    zkraw_put_connect(&client->out, &request);
    client->connection = ++record->connections;
    note_sent(record, client, SIM_RECORD_CONNECT, 0);
    flush(record, client);
}

static void restart_session(struct record *record, struct record_client *client)
{
    note(record, client, SIM_RECORD_LOST, NULL, 0);
    (void)close(client->fd);
    client->fd = -1;
    client->session_id = 0;
    begin_session(record, client);
}

static void fill_window(struct record *record, struct record_client *client)
{
    while (client->state == RECORD_READY && client->pending_count < client->window) {
        size_t before = client->out.size;
        record_send_next(record, client);
        note_sent(record, client, SIM_RECORD_SENT, before);
    }
    flush(record, client);
}

static void on_connected(struct record *record, struct record_client *client, const uint8_t *frame, size_t size)
{
    struct zkraw_connected connected;
    if (!zkraw_read_connected(frame, size, &connected)) {
        protocol_error(record, client, "no ConnectResponse");
        return;
    }
    if (connected.session_id == 0) {
        (void)fprintf(record->log, "X %d %" PRId64 "\n", client->index, client->session_id);
        client->state = RECORD_REFUSED; /* the server closes; then a new session is asked for */
        return;
    }
    client->session_id = connected.session_id;
    memcpy(client->passwd, connected.passwd, sizeof client->passwd);
    (void)fprintf(record->log, "C %d %" PRId64 " ", client->index, client->session_id);
    for (size_t i = 0; i < sizeof client->passwd; i++) {
        (void)fprintf(record->log, "%02x", client->passwd[i]);
    }
    (void)fprintf(record->log, " %d\n", connected.timeout_ms);
    client->state = RECORD_READY;
    fill_window(record, client);
}

static void on_reply(struct record *record, struct record_client *client, const uint8_t *frame, size_t size)
{
    struct zkraw_reply reply;
    if (!zkraw_read_reply(frame, size, &reply)) {
        protocol_error(record, client, "a reply shorter than its header");
        return;
    }
    if (client->pending_count == 0 || reply.xid != client->pending[0].number) {
        protocol_error(record, client, "a reply out of order");
        return;
    }
    struct record_pending pending = client->pending[0];
    client->pending_count--;
    memmove(client->pending, client->pending + 1, client->pending_count * sizeof *client->pending);
    record_take_reply(record, client, &pending, &reply);
    record->replies++;
    if (record->kill_pid != 0 && record->replies >= record->kill_after) {
        kill_server(record);
    }
}

static void take_frames(struct record *record, struct record_client *client)
{
    size_t used = 0;
    const uint8_t *frame = NULL;
    size_t size = 0;
    int found = 0;
    while (!record->broken &&
           (found = zkraw_frame_find(client->in.data + used, client->in.size - used, &frame, &size)) == 1) {
        used += ZKRAW_FRAME_PREFIX_SIZE + size;
        note(record, client, client->state == RECORD_SHAKING ? SIM_RECORD_ACCEPTED : SIM_RECORD_RECEIVED, frame, size);
        if (client->state == RECORD_SHAKING) {
            on_connected(record, client, frame, size);
        } else {
            on_reply(record, client, frame, size);
        }
    }
    if (found < 0) {
        protocol_error(record, client, "a frame with an impossible length");
    }
    zkraw_buf_consume(&client->in, used);
}

static void on_end(struct record *record, struct record_client *client)
{
    bool closed = client->state == RECORD_CLOSING && client->pending_count == 0;
    if (closed || client->state == RECORD_REFUSED) {
        restart_session(record, client);
    } else {
        lose(record, client);
    }
}

static void on_readable(struct record *record, struct record_client *client)
{
    zkraw_buf_reserve(&client->in, READ_SIZE);
    ssize_t count = read(client->fd, client->in.data + client->in.size, READ_SIZE);
    if (count > 0) {
        client->in.size += (size_t)count;
        take_frames(record, client);
        if (client->state == RECORD_READY) {
            fill_window(record, client);
        }
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        on_end(record, client);
    }
}

static int run(struct record *record)
{
    struct epoll_event events[CLIENTS_MAX];
    while (record->alive > 0 && !record->broken) {
        int count = epoll_wait(record->epoll, events, CLIENTS_MAX, STALL_MS);
        if (count == 0) {
            (void)fprintf(record->log, "E -1 the server said nothing for %d ms\n", STALL_MS);
            record->broken = true;
        }
        for (int i = 0; i < count && !record->broken; i++) {
            struct record_client *client = events[i].data.ptr;
            if (client->fd >= 0 && (events[i].events & EPOLLOUT) != 0) {
                flush(record, client);
            }
            if (client->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
                on_readable(record, client);
            }
        }
    }
    return record->broken ? 1 : 0;
}

static void read_sessions(struct record *record, const char *path)
{
    char passwd[2 * ZKRAW_PASSWD_SIZE + 1];
    int index = 0;
    int64_t session_id = 0;
    int64_t last_zxid = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        usage("cannot read the sessions file");
    }
    while (fscanf(file, "%d %" SCNd64 " %32s %" SCNd64, &index, &session_id, passwd, &last_zxid) == 4) {
        if (index < 0 || index >= record->client_count) {
            usage("the sessions file names a client that is not there");
        }
        struct record_client *client = &record->clients[index];
        client->session_id = session_id;
        client->last_zxid = last_zxid;
        for (size_t i = 0; i < ZKRAW_PASSWD_SIZE; i++) {
            char digits[3] = {passwd[2 * i], passwd[2 * i + 1], '\0'};
            client->passwd[i] = (uint8_t)strtoul(digits, NULL, 16);
        }
    }
    (void)fclose(file);
}

static long number(const char *text, long min, long max)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        usage("a number is missing or out of range");
    }
    return value;
}

static const char *parse_options(struct record *record, int argc, char **argv)
{
    static const struct option names[] = {
        {"target", 1, NULL, 't'},        {"out", 1, NULL, 'o'},
        {"sessions", 1, NULL, 's'},      {"clients", 1, NULL, 'c'},
        {"seed", 1, NULL, 'S'},          {"run", 1, NULL, 'r'},
        {"value-size", 1, NULL, 'v'},    {"reads", 1, NULL, 'R'},
        {"kill-pid", 1, NULL, 'p'},      {"kill-after", 1, NULL, 'a'},
        {"kill-delay-us", 1, NULL, 'd'}, {"kill-signal", 1, NULL, 'k'},
        {"history", 1, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    const char *sessions = NULL;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 't':
            record->target = optarg;
            break;
        case 'o':
            record->log = fopen(optarg, "we");
            break;
        case 'h':
            record->history = fopen(optarg, "we");
            if (record->history == NULL) {
                usage("cannot write the history");
            }
            break;
        case 's':
            sessions = optarg;
            break;
        case 'c':
            record->client_count = (int)number(optarg, 1, CLIENTS_MAX);
            break;
        case 'S':
            record->random = (uint64_t)number(optarg, 0, LONG_MAX);
            break;
        case 'r':
            record->run = number(optarg, 0, LONG_MAX);
            break;
        case 'v':
            record->value_size = number(optarg, RECORD_VALUE_MIN, RECORD_VALUE_MAX);
            break;
        case 'R':
            record->read_percent = number(optarg, 0, 100);
            break;
        case 'p':
            record->kill_pid = (pid_t)number(optarg, 2, INT_MAX);
            break;
        case 'a':
            record->kill_after = number(optarg, 0, LONG_MAX);
            break;
        case 'k':
            record->kill_signal = (int)number(optarg, 1, SIGRTMAX);
            break;
        case 'd':
            record->kill_delay_us = number(optarg, 0, 900000);
            break;
        default:
            usage("unknown option");
        }
    }
    if (record->target == NULL || record->log == NULL || sessions == NULL) {
        usage("--target, --out (a file that can be written) and --sessions are needed");
    }
    return sessions;
}

int main(int argc, char **argv)
{
    struct record record = {.client_count = 16, .value_size = 256, .read_percent = 8, .kill_signal = SIGKILL};
    const char *sessions = parse_options(&record, argc, argv);
    record.clients = calloc((size_t)record.client_count, sizeof *record.clients);
    record.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (record.clients == NULL || record.epoll < 0) {
        usage("no memory, or no descriptor");
    }
    record.alive = record.client_count;
    for (int i = 0; i < record.client_count; i++) {
        record.clients[i].index = i;
        record.clients[i].fd = -1;
        record.clients[i].window = 1 + (size_t)record_below(&record, i % 3 == 0 ? 1 : RECORD_WINDOW_MAX);
    }
    read_sessions(&record, sessions);
    for (int i = 0; i < record.client_count; i++) {
        begin_session(&record, &record.clients[i]);
    }
    int status = run(&record);
    if (fclose(record.log) != 0 || (record.history != NULL && fclose(record.history) != 0)) {
        usage("cannot write the record");
    }
    for (int i = 0; i < record.client_count; i++) {
        zkraw_buf_deinit(&record.clients[i].in);
        zkraw_buf_deinit(&record.clients[i].out);
    }
    free(record.clients);
    (void)close(record.epoll);
    return status;
}
