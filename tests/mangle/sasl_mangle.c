// SPDX-License-Identifier: Apache-2.0
/* Real DIGEST-MD5 handshakes, damaged on the way to the server, against the gateway core and the SASL library in one
 * process, without sockets.
 *
 *     sasl-mangle --runs N [--seed S]
 *
 * What must hold, whatever is damaged: nobody has a name that he did not prove with its password, or another's; what
 * the server sends are whole frames; a refusal is the last of them. What is not damaged works, in both directions of
 * the proof. Prints the seed of the run that failed: the same damage, though the server's nonces differ. */
#include "base/assert.h"
#include "fuzz/stack.h"
#include "host/posix_clock.h"
#include "host/sasl_cyrus.h"
#include "sasl_peer.h"
#include "wire/codes.h"
#include "wire/records.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RUNS_PER_STACK = 64, /* sessions whose connection was closed stay: a new server now and then */
    NONCE_SIZE = 256,
    XID_FIRST = 1,
    XID_RESPONSE = 2,
    XID_AGAIN = 3,
    XID_WHO = 4,
    SLOT = 0,
};

static char bob[] = "bob";
static char bob_password[] = "bobs secret";
static char eve[] = "eve";
static char eve_password[] = "eve's \\ secret";
static struct fk_jaas_user users[] = {{bob, bob_password}, {eve, eve_password}};

static const struct credentials clients[] = {
    {bob, bob_password, true},       {eve, eve_password, true}, {bob, eve_password, false},
    {"nobody", bob_password, false}, {"super", "", false},      {bob, "", false},
};

struct totals {
    uint64_t runs;
    uint64_t damaged;
    uint64_t proved;
    uint64_t refused;
    uint64_t quiet; /* the server waits for more, or the connection ended without an answer */
};

struct answer {
    bool there;
    int32_t code;
    struct fk_buf body;
};

struct run {
    struct random random;
    struct stack *stack;
    const struct credentials *credentials;
    bool damaging;
    bool damaged;
    bool strange; /* the token has a field that may not be taken */
};

/* Takes the server's frames; the answer to `xid` is left in `answer`. Refused is who gets -115: nothing may follow. */
static void take_answers(struct run *run, int32_t xid, struct answer *answer)
{
    struct fk_buf *received = &run->stack->received[SLOT];
    bool refused = false;
    while (fk_buf_left(received) > 0) {
        FK_ASSERT(!refused && fk_buf_left(received) >= 4);
        size_t size = fk_load_u32(fk_buf_view(received).data);
        FK_ASSERT(size >= 16 && fk_buf_left(received) >= 4 + size);
        struct fk_bytes frame = fk_bytes_head(fk_bytes_tail(fk_buf_view(received), 4), size);
        struct fk_reader reader = fk_reader_of(frame);
        struct fk_reply_header header = {.xid = fk_read_i32(&reader)};
        header.zxid = fk_read_i64(&reader);
        header.code = fk_read_i32(&reader);
        refused = header.code == FK_CODE_AUTH_FAILED;
        if (header.xid == xid) {
            answer->there = true;
            answer->code = header.code;
            fk_buf_clear(&answer->body);
            fk_buf_append(&answer->body, fk_bytes_tail(frame, 16));
        }
        fk_buf_consume(received, 4 + size);
    }
    FK_ASSERT(!refused || run->stack->conns[SLOT] == NULL);
}

static void send_frame(struct run *run, int32_t xid, int32_t op, const struct fk_buf *token)
{
    struct fk_buf frame = FK_BUF_EMPTY;
    fk_write_i32(&frame, 0);
    fk_write_i32(&frame, xid);
    fk_write_i32(&frame, op);
    if (token != NULL) {
        fk_write_bytes(&frame, token->size == 0 ? FK_BYTES_LITERAL("") : fk_buf_view(token));
    }
    fk_patch_i32(&frame, 0, (int32_t)frame.size - 4);
    if (run->damaging && token != NULL && random_one_in(&run->random, 8)) {
        run->damaged = true;
        damage(&run->random, &frame);
    }
    while (fk_buf_left(&frame) > 0 && run->stack->conns[SLOT] != NULL) {
        size_t left = fk_buf_left(&frame);
        size_t piece = random_one_in(&run->random, 4) ? 1 + random_below(&run->random, left) : left;
        stack_input(run->stack, SLOT, fk_bytes_head(fk_buf_view(&frame), piece));
        fk_buf_consume(&frame, piece);
    }
    fk_buf_deinit(&frame);
}

static struct answer ask(struct run *run, int32_t xid, int32_t op, const struct fk_buf *token)
{
    struct answer answer = {.there = false};
    send_frame(run, xid, op, token);
    take_answers(run, xid, &answer);
    return answer;
}

/* The token of an answer; null where there is none. */
static struct fk_bytes token_of(const struct answer *answer)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&answer->body));
    struct fk_bytes token = fk_read_bytes(&reader);
    return answer->there && answer->code == FK_CODE_OK && !reader.failed ? token : FK_BYTES_NULL;
}

/* True where the connection has the name of its client. */
static bool has_name(struct run *run)
{
    struct answer answer = ask(run, XID_WHO, FK_OP_WHO_AM_I, NULL);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&answer.body));
    bool found = false;
    int32_t count = answer.there && answer.code == FK_CODE_OK ? fk_read_count(&reader, 8) : 0;
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        struct fk_bytes name = fk_read_bytes(&reader);
        FK_ASSERT(!fk_bytes_equal_text(scheme, "super"));
        if (fk_bytes_equal_text(scheme, "sasl")) {
            FK_ASSERT(!found && fk_bytes_equal_text(name, run->credentials->user));
            found = true;
        }
    }
    fk_buf_deinit(&answer.body);
    return found;
}

/* Nothing was damaged: the exchange ends as it must. */
static void check_whole(struct run *run, const char *nonce, const struct answer *answer, bool named)
{
    bool right = run->credentials->right && !run->strange;
    FK_ASSERT(answer->there && named == right);
    FK_ASSERT(answer->code == (right ? FK_CODE_OK : FK_CODE_AUTH_FAILED));
    FK_ASSERT(!right || sasl_peer_proved(run->credentials, nonce, token_of(answer)));
    FK_ASSERT(right || run->stack->conns[SLOT] == NULL);
}

static void damage_token(struct run *run, struct fk_buf *token)
{
    if (!run->damaging || !random_one_in(&run->random, 2)) {
        return;
    }
    run->damaged = true;
    if (token->size == 0) {
        uint8_t bytes[64];
        random_bytes(&run->random, bytes, sizeof bytes);
        fk_buf_append(token, fk_bytes_of(bytes, random_below(&run->random, sizeof bytes)));
    } else {
        damage(&run->random, token);
    }
}

/* A token more than the exchange has: never taken. */
static void send_again(struct run *run, const struct fk_buf *token)
{
    struct answer answer = ask(run, XID_AGAIN, FK_OP_SASL, token);
    FK_ASSERT(run->damaged || !answer.there || answer.code == FK_CODE_AUTH_FAILED);
    fk_buf_deinit(&answer.body);
}

static void exchange(struct run *run, struct totals *totals)
{
    char nonce[NONCE_SIZE] = "";
    struct fk_buf token = FK_BUF_EMPTY;
    if (run->damaging && random_one_in(&run->random, 4)) {
        damage_token(run, &token);
    }
    struct answer answer = ask(run, XID_FIRST, FK_OP_SASL, &token);
    bool begun = sasl_peer_nonce(token_of(&answer), nonce, sizeof nonce);
    FK_ASSERT(begun || run->damaged);
    fk_buf_clear(&token);
    sasl_peer_response(&run->random, run->credentials, nonce, run->strange, &token);
    damage_token(run, &token);
    fk_buf_deinit(&answer.body);
    answer = ask(run, XID_RESPONSE, FK_OP_SASL, &token);
    bool named = has_name(run);
    FK_ASSERT(!named || (run->credentials->right && (run->damaged || !run->strange)));
    if (!run->damaged) {
        check_whole(run, nonce, &answer, named);
    }
    totals->proved += named ? 1 : 0;
    totals->refused += answer.there && answer.code == FK_CODE_AUTH_FAILED ? 1 : 0;
    totals->quiet += !answer.there ? 1 : 0;
    if (random_one_in(&run->random, 4)) {
        send_again(run, &token);
        FK_ASSERT(named || !has_name(run) || run->credentials->right);
    }
    fk_buf_deinit(&answer.body);
    fk_buf_deinit(&token);
}

static void run_one(struct stack *stack, uint64_t seed, struct totals *totals)
{
    struct run run = {.stack = stack};
    char address[32];
    random_seed(&run.random, seed);
    run.credentials = &clients[random_below(&run.random, sizeof clients / sizeof clients[0])];
    run.damaging = !random_one_in(&run.random, 8);
    run.strange = random_one_in(&run.random, 4);
    /* From many addresses: who fails often from one is answered late. */
    (void)snprintf(address, sizeof address, "10.%u.%u.%u", (unsigned)random_below(&run.random, 256),
                   (unsigned)random_below(&run.random, 256), (unsigned)random_below(&run.random, 256));
    fk_buf_clear(&stack->received[SLOT]);
    stack_hello(stack, SLOT, address);
    FK_ASSERT(fk_buf_left(&stack->received[SLOT]) > 0);
    fk_buf_clear(&stack->received[SLOT]);
    exchange(&run, totals);
    stack_hang_up(stack, SLOT);
    totals->runs++;
    totals->damaged += run.damaged ? 1 : 0;
}

static uint64_t current; /* the seed at work */

/* A failed assertion, or (abort_on_error) a finding of AddressSanitizer: which run was it? */
static void on_abort(int number)
{
    (void)number;
    (void)fprintf(stderr, "sasl-mangle: seed %llu\n", (unsigned long long)current);
}

static void run_all(struct fk_sasl *sasl, uint64_t seed, uint64_t runs)
{
    struct totals totals = {.runs = 0};
    const struct fk_auth_options auth = {.sasl = sasl};
    static struct stack stack;
    for (current = seed; current < seed + runs; current++) {
        if ((current - seed) % RUNS_PER_STACK == 0) {
            if (current > seed) {
                stack_close(&stack);
            }
            stack_open(&stack, &auth);
        }
        run_one(&stack, current, &totals);
    }
    stack_close(&stack);
    (void)printf("%llu handshakes, %llu damaged: %llu names proved, %llu refused, %llu without an answer\n",
                 (unsigned long long)totals.runs, (unsigned long long)totals.damaged, (unsigned long long)totals.proved,
                 (unsigned long long)totals.refused, (unsigned long long)totals.quiet);
}

int main(int argc, char **argv)
{
    uint64_t runs = argc > 2 && strcmp(argv[1], "--runs") == 0 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t seed = argc > 4 && strcmp(argv[3], "--seed") == 0 ? strtoull(argv[4], NULL, 10) : 1;
    const struct fk_jaas_login login = {.found = true, .users = users, .user_count = sizeof users / sizeof users[0]};
    const struct fk_sasl_cyrus_options options = {.login = &login, .random = fk_posix_random()};
    struct fk_diag diag = {.text = ""};
    struct fk_sasl *sasl = NULL;
    if (runs == 0) {
        (void)fprintf(stderr, "usage: sasl-mangle --runs N [--seed S]\n");
        return 2;
    }
    if (fk_sasl_cyrus_new(&options, &sasl, &diag) != FK_OK) {
        (void)fprintf(stderr, "sasl-mangle: %s\n", diag.text);
        return 2;
    }
    (void)signal(SIGABRT, on_abort);
    run_all(sasl, seed, runs);
    fk_sasl_cyrus_free(sasl);
    return 0;
}
