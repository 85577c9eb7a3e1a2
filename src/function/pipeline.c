// SPDX-License-Identifier: Apache-2.0
#include "function/pipeline_internal.h"

#include "base/log.h"
#include "base/mark.h"
#include "base/mutant.h"
#include "function/outcome.h"
#include "function/stored.h"

/* One invocation. Everything before this message is accepted or dropped. */
struct run {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    const struct fk_bytes *messages;
    size_t message;
    int64_t give_up_ms;
    struct fk_arena arena;
};

/* --- a session: what is due --- */

struct ahead {
    struct fk_arena *arena;
    struct fk_bytes paths[FK_TABLE_GET_MAX];
    struct fk_key keys[FK_TABLE_GET_MAX]; /* behind those of the session */
    size_t count;                         /* of paths */
};

enum {
    SESSION_KEYS = 2,
};

/* Each once; what does not fit, or stands in no list, is read when it is locked. */
static void want_path(void *context, struct fk_bytes path)
{
    struct ahead *ahead = (struct ahead *)context;
    for (size_t i = 0; i < ahead->count; i++) {
        if (fk_bytes_equal(ahead->paths[i], path)) {
            return;
        }
    }
    if (ahead->count < FK_TABLE_GET_MAX - SESSION_KEYS) {
        ahead->paths[ahead->count] = path;
        ahead->keys[SESSION_KEYS + ahead->count++] = fk_key_accepted_node(ahead->arena, path);
    }
}

/* Reads the session's records, and in the same call the accepted ones of the paths that the operation names. */
static enum fk_err read_session(struct fk_writer_try *attempt, struct fk_key keys[SESSION_KEYS], struct fk_item **items)
{
    struct fk_writer_job *job = attempt->job;
    struct ahead *ahead = (struct ahead *)fk_arena_alloc(job->arena, sizeof *ahead);
    if (ahead == NULL) {
        return FK_ERR_NOMEM;
    }
    *ahead = (struct ahead){.arena = job->arena};
    ahead->keys[0] = keys[0] = fk_key_accepted_session(job->arena, job->message->session_id);
    ahead->keys[1] = keys[1] = fk_key_session(job->arena, job->message->session_id);
    if (!job->refuse_large) {
        fk_plan_paths(job->operation->op, job->operation->body, want_path, ahead);
    }
    size_t count = SESSION_KEYS + ahead->count;
    for (size_t i = 0; i < count; i++) {
        if (ahead->keys[i].partition.data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    *items = (struct fk_item *)fk_arena_alloc(job->arena, count * sizeof **items);
    enum fk_err err =
        *items == NULL ? FK_ERR_NOMEM : fk_table_get_many(job->ports->table, ahead->keys, count, job->arena, *items);
    attempt->locks.ahead = (struct fk_read_ahead){
        .paths = ahead->paths, .items = *items + SESSION_KEYS, .count = err == FK_OK ? ahead->count : 0};
    return err;
}

/* Whether there may be hard limits; asked for only where they are kept. */
static enum fk_err find_quotas(struct fk_writer_try *attempt)
{
    const struct fk_writer_job *job = attempt->job;
    struct fk_zx_record zx = {.limits = 0};
    struct fk_key key = fk_key_zx();
    struct fk_item item = {.stamp = 0};
    enum fk_err err =
        job->options->rules.enforce_quota ? fk_table_get(job->ports->table, &key, job->arena, &item) : FK_OK;
    if (err == FK_OK && item.stamp != 0) {
        err = fk_zx_record_read(item.value, job->arena, &zx);
    }
    attempt->quotas = zx.limits > 0;
    return err;
}

static enum fk_err load_session(struct fk_writer_try *attempt)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_item *items = NULL;
    struct fk_key keys[SESSION_KEYS];
    enum fk_err err = read_session(attempt, keys, &items);
    if (err != FK_OK) {
        return err;
    }
    err = find_quotas(attempt);
    attempt->session_key = keys[0];
    attempt->session_stamp = items[0].stamp;
    attempt->visible_stamp = items[1].stamp;
    attempt->visible_exists = items[1].stamp != 0;
    if (err == FK_OK && attempt->visible_exists) {
        err = fk_session_record_read(items[1].value, job->arena, &attempt->visible);
    }
    if (err == FK_OK && items[0].stamp != 0) {
        return fk_accepted_session_read(items[0].value, job->arena, &attempt->session);
    }
    attempt->session = (struct fk_accepted_session){
        .state = FK_ACCEPTED_LIVE, .epoch = attempt->visible.epoch, .last = attempt->visible.last};
    return err;
}

/* Locks the session. Its first accepted record is made only while its visible one stands: it has not ended meanwhile.
 */
static enum fk_err lock_session(struct fk_writer_try *attempt)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_accepted_session session = attempt->session;
    struct fk_buf buf = FK_BUF_EMPTY;
    session.lock = fk_locks_lock(&attempt->locks);
    fk_accepted_session_write(&buf, &session);
    struct fk_write writes[2] = {
        {.kind = FK_WRITE_PUT, .key = attempt->session_key, .expected = attempt->session_stamp},
        {.kind = FK_WRITE_CHECK,
         .key = fk_key_session(job->arena, job->message->session_id),
         .expected = attempt->visible_stamp}};
    writes[0].value = fk_buf_view(&buf);
    bool first = attempt->session_stamp == 0 && job->message->session_id != 0;
    enum fk_err err = buf.failed || writes[1].key.partition.data == NULL
                          ? FK_ERR_NOMEM
                          : fk_table_write(job->ports->table, writes, first ? 2 : 1);
    fk_buf_deinit(&buf);
    return err;
}

static void release(struct fk_writer_try *attempt)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_accepted_session session;
    struct fk_item item;
    fk_locks_release(&attempt->locks);
    if (attempt->session_key.partition.data == NULL ||
        fk_table_get(job->ports->table, &attempt->session_key, job->arena, &item) != FK_OK || item.stamp == 0 ||
        fk_accepted_session_read(item.value, job->arena, &session) != FK_OK ||
        session.lock.token != attempt->locks.token) {
        return;
    }
    struct fk_buf buf = FK_BUF_EMPTY;
    session.lock = (struct fk_lock){.token = 0};
    fk_accepted_session_write(&buf, &session);
    struct fk_write write = {
        .kind = FK_WRITE_PUT, .key = attempt->session_key, .expected = item.stamp, .value = fk_buf_view(&buf)};
    if (!buf.failed) {
        (void)!fk_table_write(job->ports->table, &write, 1);
    }
    fk_buf_deinit(&buf);
}

/* --- answers that need no decision --- */

static enum fk_err answer_expired(const struct fk_writer_try *attempt)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_zx_record zx = {.zxid = 0};
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    enum fk_err err = fk_table_get(job->ports->table, &key, job->arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_zx_record_read(item.value, job->arena, &zx);
    }
    if (err != FK_OK) {
        return err;
    }
    struct fk_answer_message answer = {.session_id = job->message->session_id,
                                       .epoch = job->message->epoch,
                                       .number = job->number,
                                       .zxid = zx.zxid,
                                       .code = FK_CODE_SESSION_EXPIRED,
                                       .generation = zx.generation};
    FK_MARK(EXPIRED_ANSWERED);
    fk_outcome_send_answer(job->ports, job->message->gateway, &answer);
    return FK_OK;
}

static void answer_again(const struct fk_writer_try *attempt)
{
    const struct fk_writer_job *job = attempt->job;
    const struct fk_result *result = fk_session_record_result(&attempt->visible, job->message->epoch, job->number);
    if (result == NULL) {
        FK_MARK(ALREADY_ACCEPTED); /* the distributor answers */
        return;
    }
    FK_MARK(ANSWERED_FROM_RING);
    struct fk_answer_message answer = {.session_id = job->message->session_id,
                                       .epoch = result->epoch,
                                       .number = result->number,
                                       .zxid = result->zxid,
                                       .code = result->code,
                                       .body = result->body,
                                       .need = result->need,
                                       .generation = result->generation};
    fk_outcome_send_answer(job->ports, job->message->gateway, &answer);
}

/* --- is it due --- */

static bool is_request(int32_t op)
{
    return op != FK_OP_ATTACH && op != FK_OP_EXPIRE;
}

static bool request_due(const struct fk_writer_try *attempt)
{
    const struct fk_writer_job *job = attempt->job;
    const struct fk_accepted_session *session = &attempt->session;
    bool closes = job->operation->op == FK_OP_CLOSE_SESSION;
    if (job->message->epoch != session->epoch && !FK_MUTANT(NO_EPOCH_FENCE)) {
        FK_MARK(OLD_EPOCH_DROPPED);
        return false;
    }
    if (session->state == FK_ACCEPTED_CLOSING && closes) {
        return true; /* the next part of it */
    }
    if (job->number <= session->last && !FK_MUTANT(DECIDED_AGAIN)) {
        answer_again(attempt);
        return false;
    }
    if (session->state != FK_ACCEPTED_LIVE && !FK_MUTANT(SESSION_NOT_CHECKED)) {
        FK_MARK(CLOSING_DROPPED);
        return false;
    }
    if (job->number > session->last + 1 && !FK_MUTANT(NUMBERS_NOT_DENSE)) {
        FK_MARK(GAP_DROPPED);
        return false;
    }
    return true;
}

static bool expire_due(const struct fk_writer_try *attempt)
{
    const struct fk_accepted_session *session = &attempt->session;
    bool due = session->state == FK_ACCEPTED_CLOSING ||
               (session->state == FK_ACCEPTED_LIVE &&
                (session->epoch == attempt->job->message->epoch || FK_MUTANT(EXPIRE_ANY_EPOCH)));
    if (!due) {
        FK_MARK(EXPIRE_STALE);
    }
    return due;
}

static enum fk_err gateway_alive(const struct fk_writer_job *job, bool *alive)
{
    struct fk_gateway_record gateway = {.alive = false};
    struct fk_key key = fk_key_gateway(job->arena, job->message->gateway);
    struct fk_item item;
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(job->ports->table, &key, job->arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_gateway_record_read(item.value, &gateway);
    }
    *alive = gateway.alive;
    return err;
}

/* The session lives, nobody else was faster, and the gateway lives (H9). */
static enum fk_err attach_due(const struct fk_writer_try *attempt, int64_t nonce, bool *due)
{
    const struct fk_writer_job *job = attempt->job;
    bool alive = false;
    enum fk_err err = gateway_alive(job, &alive);
    *due = attempt->session.state == FK_ACCEPTED_LIVE &&
           (FK_MUTANT(ATTACH_UNFENCED) || (alive && job->message->epoch == attempt->session.epoch));
    if (err == FK_OK && attempt->visible.nonce == nonce && !FK_MUTANT(ATTACH_UNFENCED)) {
        FK_MARK(ATTACH_REPEATED); /* the gateway reads the session's record */
        *due = false;
    } else if (err == FK_OK && !*due) {
        FK_MARK(ATTACH_STALE);
    }
    return err;
}

/* --- one try --- */

static enum fk_err try_attach(struct fk_writer_try *attempt)
{
    struct fk_reader reader = fk_reader_of(attempt->job->operation->body);
    struct fk_attach_request request;
    bool due = false;
    fk_read_attach_request(&reader, &request);
    enum fk_err err = attach_due(attempt, request.nonce, &due);
    if (err != FK_OK || !due) {
        return err;
    }
    err = lock_session(attempt);
    fk_plan_begin(&attempt->plan, FK_ZXID_PLANNED, 0);
    if (err == FK_OK) {
        err = fk_writer_fill(attempt);
    }
    attempt->entry.kind = FK_STEP_ATTACH;
    attempt->entry.epoch = attempt->session.epoch + 1;
    attempt->entry.number = 0;
    attempt->entry.answered = -1;
    attempt->entry.word = request.nonce;
    attempt->entry.timeout_ms = request.timeout_ms;
    return err == FK_OK ? fk_writer_finish(attempt) : err;
}

static enum fk_err try_step(struct fk_writer_try *attempt, bool *again)
{
    int32_t op = attempt->job->operation->op;
    if (op == FK_OP_EXPIRE ? !expire_due(attempt) : !request_due(attempt)) {
        return FK_OK;
    }
    enum fk_err err = lock_session(attempt);
    if (err == FK_OK) {
        attempt->entry.epoch = attempt->session.epoch;
        attempt->entry.number = attempt->session.last + 1;
        err = op == FK_OP_EXPIRE || op == FK_OP_CLOSE_SESSION ? fk_writer_plan_end(attempt, again)
                                                              : fk_writer_plan_request(attempt);
    }
    return err == FK_OK ? fk_writer_finish(attempt) : err;
}

static enum fk_err try_session(struct fk_writer_try *attempt, bool *again)
{
    int32_t op = attempt->job->operation->op;
    enum fk_err err = load_session(attempt);
    if (err != FK_OK) {
        return err;
    }
    if (!attempt->visible_exists) {
        return is_request(op) ? answer_expired(attempt) : FK_OK;
    }
    return op == FK_OP_ATTACH ? try_attach(attempt) : try_step(attempt, again);
}

/* Of no session: the record that is locked and lists what is accepted is that of id 0. */
static enum fk_err try_sweep(struct fk_writer_try *attempt)
{
    bool due = false;
    enum fk_err err = load_session(attempt);
    if (err == FK_OK) {
        err = lock_session(attempt);
    }
    if (err == FK_OK) {
        err = fk_writer_plan_sweep(attempt, &due);
    }
    if (err == FK_OK && due) {
        return fk_writer_finish(attempt);
    }
    release(attempt);
    return err;
}

static enum fk_err try_gateway_dead(struct fk_writer_try *attempt)
{
    struct fk_reader reader = fk_reader_of(attempt->job->operation->body);
    attempt->entry.kind = FK_STEP_DEAD;
    attempt->entry.answered = -1;
    attempt->entry.word = fk_read_i64(&reader);
    return fk_writer_push(attempt->job, &attempt->entry);
}

/* A try that ends without being accepted gives back what it has locked. */
static enum fk_err try_once(struct fk_writer_job *job, bool *again)
{
    struct fk_writer_try *attempt = (struct fk_writer_try *)fk_arena_alloc(job->arena, sizeof *attempt);
    int64_t session_id = job->message->session_id;
    enum fk_err err = FK_OK;
    if (attempt == NULL) {
        return FK_ERR_NOMEM;
    }
    memset(attempt, 0, sizeof *attempt);
    attempt->job = job;
    attempt->entry = (struct fk_entry){.session_id = session_id, .gateway = job->message->gateway};
    fk_locks_init(&attempt->locks, job->options, job->ports, job->arena, session_id, job->give_up_ms);
    fk_plan_init(&attempt->plan, job->arena, fk_writer_lookup, attempt);
    attempt->plan.rules = &job->options->rules;
    *again = false;
    switch (job->operation->op) {
    case FK_OP_SWEEP_NODE:
        err = session_id == 0 ? try_sweep(attempt) : FK_OK;
        break;
    case FK_OP_GATEWAY_DEAD:
        err = try_gateway_dead(attempt);
        break;
    default:
        err = session_id != 0 ? try_session(attempt, again) : FK_OK;
        break;
    }
    if (err != FK_OK) {
        release(attempt);
    }
    fk_plan_deinit(&attempt->plan);
    fk_buf_deinit(&attempt->reply);
    return err;
}

/* --- operations and messages --- */

/* The store or the queue takes less at once than this code thought. */
static bool take_less(struct fk_writer_job *job)
{
    int32_t op = job->operation->op;
    if (op == FK_OP_CLOSE_SESSION || op == FK_OP_EXPIRE) {
        bool smaller = job->chunk_max > 1;
        job->chunk_max = job->chunk_max == SIZE_MAX ? FK_TABLE_WRITE_MAX / 8 : job->chunk_max / 2;
        return smaller;
    }
    bool first = !job->refuse_large;
    job->refuse_large = true;
    return first;
}

static bool worth_another_try(struct fk_writer_job *job, enum fk_err err)
{
    if (err == FK_ERR_TOO_LARGE) {
        return take_less(job);
    }
    if (err != FK_ERR_REFUSED && err != FK_ERR_BUSY && err != FK_ERR_UNKNOWN) {
        return false;
    }
    bool time_left = fk_clock_monotonic_ms(job->ports->clock) < job->give_up_ms;
    if (!time_left) {
        FK_MARK(FUNCTION_OUT_OF_TIME);
    }
    return time_left;
}

static enum fk_err run_operation(struct run *run, const struct fk_request_message *message,
                                 const struct fk_request_operation *operation, int64_t number)
{
    struct fk_writer_job job = {.options = run->options,
                                .ports = run->ports,
                                .arena = &run->arena,
                                .give_up_ms = run->give_up_ms,
                                .message = message,
                                .operation = operation,
                                .number = number,
                                .chunk_max = SIZE_MAX};
    struct fk_backoff backoff = {.clock = run->ports->clock, .random = run->ports->random};
    bool again = true;
    enum fk_err err = FK_OK;
    while (again) {
        err = try_once(&job, &again);
        if (err == FK_OK && !again) {
            break;
        }
        if (err == FK_OK) { /* a part of a session's end: the next one, now or when the message comes again */
            backoff.tries = 0;
            err = fk_clock_monotonic_ms(run->ports->clock) < run->give_up_ms ? FK_OK : FK_ERR_BUSY;
            again = err == FK_OK;
            continue;
        }
        again = worth_another_try(&job, err);
        if (again) {
            fk_backoff_wait(&backoff);
        }
    }
    fk_arena_reset(&run->arena);
    return err;
}

static enum fk_err run_message(struct run *run)
{
    struct fk_reader reader = fk_reader_of(run->messages[run->message]);
    struct fk_request_message message;
    enum fk_err err = fk_request_message_read(&reader, &message);
    if (err == FK_ERR_VERSION) {
        FK_MARK(MESSAGE_NEWER);
        return err;
    }
    if (err != FK_OK) {
        FK_MARK(MESSAGE_UNREADABLE);
        fk_log(FK_LOG_ERROR, "a message of %zu bytes that is none is dropped", run->messages[run->message].size);
        return FK_OK;
    }
    for (int32_t i = 0; i < message.count; i++) {
        struct fk_request_operation operation;
        if (fk_request_message_next(&reader, &operation) != FK_OK) {
            FK_MARK(MESSAGE_UNREADABLE);
            fk_log(FK_LOG_ERROR, "a request message is cut short; what stands behind its operation %d is dropped", i);
            break;
        }
        err = run_operation(run, &message, &operation, message.first_number + i);
        if (err != FK_OK) {
            return err;
        }
    }
    return FK_OK;
}

enum fk_err fk_pipeline_writer_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                                   const struct fk_bytes *messages, size_t count, size_t *done)
{
    struct run run = {.options = options,
                      .ports = ports,
                      .give_up_ms = fk_clock_monotonic_ms(ports->clock) + options->function_ms,
                      .arena = FK_ARENA_EMPTY};
    struct fk_stored stored;
    enum fk_err opened = fk_stored_open(&stored, ports, run.give_up_ms, messages, count);
    enum fk_err err = FK_OK;
    run.messages = stored.messages;
    while (run.message < stored.count && err == FK_OK) {
        err = run_message(&run);
        run.message += err == FK_OK || FK_MUTANT(SKIP_FAILED) ? 1 : 0;
        err = FK_MUTANT(SKIP_FAILED) ? FK_OK : err;
    }
    *done = run.message;
    fk_stored_close(&stored, run.message);
    fk_arena_deinit(&run.arena);
    return err == FK_OK ? opened : err;
}
