// SPDX-License-Identifier: Apache-2.0
/* Real TLS handshakes and data, damaged on the way to the server, against the server's side of TLS, without sockets.
 *
 *     tls-mangle DIRECTORY --runs N [--seed S]
 *
 * What must hold, whatever is damaged: no plain byte comes out that the client did not send, in order; who has no
 * certificate of the authority is never let in where one is needed, and nobody gets another's name; a broken session
 * stays broken; the output is bounded. What is not damaged works. Prints the seed of the run that failed: the same
 * damage, though OpenSSL's own random numbers differ. */
#include "base/assert.h"
#include "base/limits.h"
#include "gateway/tls.h"
#include "tls_peer.h"

#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS_MAX = 16,
    OUTPUT_MAX = FK_TLS_OUTPUT_SIZE_MAX,
    MESSAGE_MAX = 20 * 1024, /* more than one record of TLS */
    REASONS_MAX = 256,
};

static const char subject[] = "CN=mangle client,O=Acme\\, Inc,C=DE"; /* of run-tls */

struct totals {
    uint64_t runs;
    uint64_t damaged;
    uint64_t established;
    uint64_t failed;
    uint64_t closed;
    const char *reasons[REASONS_MAX]; /* why sessions failed: OpenSSL's texts, which are static */
    size_t reason_count;
};

struct run {
    struct random random;
    enum fk_client_auth mode;
    enum identity identity;
    struct peer peer;
    struct fk_tls *tls;
    bool damaging;
    bool damaged;
    bool ended; /* the client said that nothing follows */
    enum fk_tls_result result;
    struct fk_buf client_sent, server_got;
    struct fk_buf server_sent, client_got;
};

static struct fk_tls_context *servers[3]; /* by enum fk_client_auth */

static void read_client(struct run *run)
{
    uint8_t room[4096];
    size_t size = 0;
    while (SSL_read_ex(run->peer.ssl, room, sizeof room, &size) == 1) {
        fk_buf_append(&run->client_got, fk_bytes_of(room, size));
    }
}

static void client_writes(struct run *run)
{
    uint8_t message[MESSAGE_MAX];
    size_t size = 1 + random_below(&run->random, random_one_in(&run->random, 4) ? sizeof message : 64);
    size_t written = 0;
    random_bytes(&run->random, message, size);
    if (SSL_write_ex(run->peer.ssl, message, size, &written) == 1) {
        fk_buf_append(&run->client_sent, fk_bytes_of(message, written));
    }
}

/* The client's turn: on with the handshake, then data, and at times what only TLS itself says. */
static void client_step(struct run *run)
{
    SSL *ssl = run->peer.ssl;
    ERR_clear_error();
    if (!SSL_is_init_finished(ssl) && SSL_do_handshake(ssl) != 1) {
        return;
    }
    read_client(run);
    if (run->ended) {
        return;
    }
    if (random_one_in(&run->random, 16)) {
        run->ended = true;
        (void)SSL_shutdown(ssl);
        return;
    }
    if (random_one_in(&run->random, 8)) {
        if (SSL_version(ssl) == TLS1_3_VERSION) {
            (void)SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
        } else if (run->damaging) {
            (void)SSL_renegotiate(ssl); /* which the server refuses: a run that ends early */
            (void)SSL_do_handshake(ssl);
            return;
        }
    }
    client_writes(run);
}

/* What the client has to say, damaged or not, in pieces. */
static void deliver(struct run *run)
{
    struct fk_buf bytes = FK_BUF_EMPTY;
    uint8_t room[4096];
    int size = 0;
    while ((size = BIO_read(run->peer.out, room, sizeof room)) > 0) {
        fk_buf_append(&bytes, fk_bytes_of(room, (size_t)size));
    }
    if (run->damaging && fk_buf_left(&bytes) > 0 && random_one_in(&run->random, 3)) {
        run->damaged = true;
        damage(&run->random, &bytes);
    }
    while (fk_buf_left(&bytes) > 0 && run->result == FK_TLS_OK) {
        size_t left = fk_buf_left(&bytes);
        size_t piece = random_one_in(&run->random, 2) ? left : 1 + random_below(&run->random, left);
        run->result = fk_tls_receive(run->tls, fk_bytes_head(fk_buf_view(&bytes), piece), &run->server_got);
        fk_buf_consume(&bytes, piece);
    }
    fk_buf_deinit(&bytes);
}

static void server_writes(struct run *run)
{
    uint8_t message[MESSAGE_MAX];
    size_t size = random_below(&run->random, random_one_in(&run->random, 4) ? sizeof message : 64);
    random_bytes(&run->random, message, size);
    FK_ASSERT(fk_tls_send(run->tls, fk_bytes_of(message, size)));
    fk_buf_append(&run->server_sent, fk_bytes_of(message, size));
}

static void take_output(struct run *run)
{
    struct fk_buf *output = fk_tls_output(run->tls);
    struct fk_bytes bytes = fk_buf_view(output);
    FK_ASSERT(bytes.size <= OUTPUT_MAX);
    if (bytes.size > 0) {
        (void)BIO_write(run->peer.in, bytes.data, (int)bytes.size);
    }
    fk_buf_consume(output, bytes.size);
}

static bool begins(struct fk_bytes whole, struct fk_bytes part)
{
    return part.size <= whole.size && fk_bytes_equal(fk_bytes_head(whole, part.size), part);
}

/* Who is in must be who he says, and what came must be what was sent. */
static void check(const struct run *run)
{
    FK_ASSERT(begins(fk_buf_view(&run->client_sent), fk_buf_view(&run->server_got)));
    FK_ASSERT(begins(fk_buf_view(&run->server_sent), fk_buf_view(&run->client_got)));
    if (!fk_tls_established(run->tls)) {
        FK_ASSERT(fk_buf_left(&run->server_got) == 0);
        return;
    }
    struct fk_buf name = FK_BUF_EMPTY;
    FK_ASSERT(fk_tls_subject(run->tls, &name) == FK_OK);
    bool shown = run->mode != FK_CLIENT_AUTH_NONE && run->identity != IDENTITY_NONE;
    FK_ASSERT(!shown || run->identity == IDENTITY_CLIENT);
    FK_ASSERT(shown || run->mode != FK_CLIENT_AUTH_NEED);
    FK_ASSERT(fk_bytes_equal_text(fk_buf_view(&name), shown ? subject : ""));
    fk_buf_deinit(&name);
}

/* Nothing more comes out of what failed. */
static void check_broken(struct run *run)
{
    struct fk_buf plain = FK_BUF_EMPTY;
    FK_ASSERT(fk_tls_receive(run->tls, FK_BYTES_LITERAL("more"), &plain) == FK_TLS_FAILED);
    FK_ASSERT(fk_buf_left(&plain) == 0 && !fk_tls_send(run->tls, FK_BYTES_LITERAL("more")));
    FK_ASSERT(fk_tls_error(run->tls)[0] != '\0');
    fk_buf_deinit(&plain);
}

static void count(const struct run *run, struct totals *totals)
{
    totals->runs++;
    totals->damaged += run->damaged ? 1 : 0;
    totals->established += fk_tls_established(run->tls) ? 1 : 0;
    totals->closed += run->result == FK_TLS_CLOSED ? 1 : 0;
    if (run->result != FK_TLS_FAILED) {
        return;
    }
    const char *reason = fk_tls_error(run->tls);
    totals->failed++;
    for (size_t i = 0; i < totals->reason_count; i++) {
        if (strcmp(totals->reasons[i], reason) == 0) {
            return;
        }
    }
    if (totals->reason_count < REASONS_MAX) {
        totals->reasons[totals->reason_count++] = reason;
    }
}

/* Undamaged, everybody who may is let in, and all bytes arrive. */
static void check_whole(const struct run *run)
{
    bool refused = (run->mode == FK_CLIENT_AUTH_NEED && run->identity != IDENTITY_CLIENT) ||
                   (run->mode == FK_CLIENT_AUTH_WANT && run->identity == IDENTITY_STRANGER);
    FK_ASSERT(run->result == (refused ? FK_TLS_FAILED : run->ended ? FK_TLS_CLOSED : FK_TLS_OK));
    FK_ASSERT(refused || fk_bytes_equal(fk_buf_view(&run->client_sent), fk_buf_view(&run->server_got)));
    FK_ASSERT(refused || fk_bytes_equal(fk_buf_view(&run->server_sent), fk_buf_view(&run->client_got)));
    FK_ASSERT(refused || run->ended || fk_buf_left(&run->server_got) > 0);
}

static void free_run(struct run *run)
{
    fk_tls_shutdown(run->tls);
    fk_tls_free(run->tls);
    peer_free(&run->peer);
    fk_buf_deinit(&run->client_sent);
    fk_buf_deinit(&run->server_got);
    fk_buf_deinit(&run->server_sent);
    fk_buf_deinit(&run->client_got);
}

static void run_one(uint64_t seed, struct totals *totals)
{
    struct run run = {.result = FK_TLS_OK};
    random_seed(&run.random, seed);
    run.mode = (enum fk_client_auth)random_below(&run.random, 3);
    run.identity = (enum identity)random_below(&run.random, IDENTITY_COUNT);
    run.damaging = !random_one_in(&run.random, 16);
    run.peer = peer_new(&run.random, run.identity);
    run.tls = fk_tls_new(servers[run.mode]);
    FK_ASSERT(run.tls != NULL);
    size_t rounds = 5 + random_below(&run.random, ROUNDS_MAX - 5);
    for (size_t i = 0; i < rounds && run.result == FK_TLS_OK; i++) {
        client_step(&run);
        deliver(&run);
        if (run.result == FK_TLS_OK && fk_tls_established(run.tls) && random_one_in(&run.random, 2)) {
            server_writes(&run);
        }
        take_output(&run);
        check(&run);
    }
    if (run.result == FK_TLS_FAILED) {
        check_broken(&run);
    }
    read_client(&run);
    check(&run);
    if (!run.damaging) {
        check_whole(&run);
    }
    count(&run, totals);
    free_run(&run);
}

/* A client that asks for new keys again and again, and reads nothing: the answers must not fill the memory. */
static void run_flood(void)
{
    enum {
        ASKED_MAX = 100 * 1000,
    };
    struct run run = {.result = FK_TLS_OK};
    random_seed(&run.random, 1);
    run.peer = peer_new(&run.random, IDENTITY_NONE);
    (void)SSL_set_min_proto_version(run.peer.ssl, TLS1_3_VERSION);
    (void)SSL_set_max_proto_version(run.peer.ssl, TLS1_3_VERSION);
    run.tls = fk_tls_new(servers[FK_CLIENT_AUTH_NONE]);
    FK_ASSERT(run.tls != NULL);
    while (!fk_tls_established(run.tls)) {
        client_step(&run);
        deliver(&run);
        take_output(&run);
    }
    size_t asked = 0;
    while (asked < ASKED_MAX && run.result == FK_TLS_OK) {
        (void)SSL_key_update(run.peer.ssl, SSL_KEY_UPDATE_REQUESTED);
        (void)SSL_do_handshake(run.peer.ssl);
        deliver(&run);
        FK_ASSERT(fk_buf_left(fk_tls_output(run.tls)) <= OUTPUT_MAX);
        asked++;
    }
    FK_ASSERT(run.result == FK_TLS_FAILED);
    check_broken(&run);
    free_run(&run);
}

static bool open_servers(const char *directory)
{
    static char key_store[512];
    static char trust_store[512];
    struct fk_diag diag = {.text = ""};
    (void)snprintf(key_store, sizeof key_store, "%s/server.pem", directory);
    (void)snprintf(trust_store, sizeof trust_store, "%s/ca.crt", directory);
    for (size_t i = 0; i < 3; i++) {
        struct fk_tls_options options = {
            .key_store = key_store, .trust_store = trust_store, .client_auth = (enum fk_client_auth)i};
        if (fk_tls_context_new(&options, &servers[i], &diag) != FK_OK) {
            (void)fprintf(stderr, "tls-mangle: %s\n", diag.text);
            return false;
        }
    }
    return true;
}

static void report(const struct totals *totals)
{
    for (size_t i = 0; i < totals->reason_count; i++) {
        (void)printf("refused: %s\n", totals->reasons[i]);
    }
    (void)printf("%llu handshakes, %llu damaged: %llu let in, %llu refused for %zu reasons, %llu closed in order\n",
                 (unsigned long long)totals->runs, (unsigned long long)totals->damaged,
                 (unsigned long long)totals->established, (unsigned long long)totals->failed, totals->reason_count,
                 (unsigned long long)totals->closed);
}

static uint64_t current; /* the seed at work */

/* A failed assertion, or (abort_on_error) a finding of AddressSanitizer: which run was it? */
static void on_abort(int number)
{
    (void)number;
    (void)fprintf(stderr, "tls-mangle: seed %llu\n", (unsigned long long)current);
}

int main(int argc, char **argv)
{
    uint64_t runs = argc > 3 && strcmp(argv[2], "--runs") == 0 ? strtoull(argv[3], NULL, 10) : 0;
    uint64_t seed = argc > 5 && strcmp(argv[4], "--seed") == 0 ? strtoull(argv[5], NULL, 10) : 1;
    struct totals totals = {.runs = 0};
    if (runs == 0) {
        (void)fprintf(stderr, "usage: tls-mangle DIRECTORY --runs N [--seed S]\n");
        return 2;
    }
    if (!open_servers(argv[1])) {
        return 2;
    }
    (void)signal(SIGABRT, on_abort);
    peer_contexts(argv[1]);
    run_flood();
    for (current = seed; current < seed + runs; current++) {
        run_one(current, &totals);
    }
    report(&totals);
    for (size_t i = 0; i < 3; i++) {
        fk_tls_context_free(servers[i]);
    }
    peer_contexts_free();
    return 0;
}
