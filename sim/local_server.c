// SPDX-License-Identifier: Apache-2.0
/* One life of the server: it recovers, runs rounds as host/local.c does, ends cleanly or dies. */
#include "driver/local/channel.h"
#include "driver/local/queue.h"
#include "driver/local/vfs.h"
#include "sim/local_internal.h"
#include "sim/local_threads.h"
#include "sim/memory.h"

#include <inttypes.h>

enum {
    ANSWERED_WITHIN_S = 60, /* after the last fault */
};

static bool dead(const struct sim_local_server *server)
{
    return sim_disk_state(server->lab->disk) != SIM_DISK_WORKS;
}

static void on_progress(void *context)
{
    struct sim_local_server *server = (struct sim_local_server *)context;
    server->busy = false;
    sim_wake(server->lab->world, &server->progress);
}

/* _exit() of host/local.c. */
static void on_fatal(void *context, const char *what)
{
    struct sim_local_server *server = (struct sim_local_server *)context;
    sim_trace(server->lab->world, "fatal: %s", what);
    sim_disk_exit(server->lab->disk);
    sim_wake(server->lab->world, &server->progress);
}

static enum fk_err open_store(struct sim_local_server *server, struct fk_diag *diag)
{
    struct sim_local *lab = server->lab;
    struct fk_files *files = sim_disk_files(lab->disk);
    sim_memory_spare_begin(); /* of both a server uses the system's */
    lab->vfs = fk_vfs_new(files, server->clock, sim_process_random(server->process));
    struct fk_threads *threads = sim_threads_new(server->process);
    sim_memory_spare_end();
    const struct fk_engine_options engine = {.files = files,
                                             .threads = threads,
                                             .vfs = lab->vfs,
                                             .checkpoint_size = lab->options->checkpoint_size,
                                             .checkpoint_ms = lab->options->checkpoint_ms,
                                             .log_size_max = lab->options->log_size_max};
    const struct fk_local_store_options options = {.directory = "data",
                                                   .segment_size = lab->options->segment_size,
                                                   .sync = true,
                                                   .engine = &engine,
                                                   .progress = on_progress,
                                                   .fatal = on_fatal,
                                                   .context = server};
    return fk_local_store_open(&options, &server->store, diag);
}

static void defer(struct sim_local_server *server, int32_t done, struct fk_bytes message)
{
    sim_memory_spare_begin();
    enum fk_err err = fk_fifo_put(&server->deferred, done, message);
    sim_memory_spare_end();
    if (err != FK_OK) {
        sim_violation(server->lab->world, "harness", "nothing can be deferred: %s", fk_err_text(err));
    }
}

static bool run_message(struct sim_local_server *server, struct fk_bytes message)
{
    enum fk_err err = fk_writer_run(&server->writer, message, &server->done);
    if (err == FK_ERR_BUSY || err == FK_ERR_IO) {
        server->busy = true;
        return false;
    }
    if (err == FK_ERR_FULL || err == FK_ERR_NOMEM) {
        defer(server, server->done, message);
    } else if (err != FK_OK) {
        sim_violation(server->lab->world, "harness", "a request message was dropped: %s", fk_err_text(err));
    }
    server->done = 0;
    return true;
}

static void run_functions(struct sim_local_server *server)
{
    struct fk_bytes message;
    while (!server->busy && !dead(server) && fk_local_queue_peek(server->queue, &message) &&
           run_message(server, message)) {
        fk_local_queue_done(server->queue);
    }
}

static void retry_deferred(struct sim_local_server *server)
{
    struct fk_fifo waiting = server->deferred;
    int64_t number = 0;
    struct fk_bytes message;
    fk_fifo_init(&server->deferred, SIZE_MAX);
    while (fk_fifo_peek(&waiting, &number, &message)) {
        int32_t done = (int32_t)number;
        enum fk_err err = fk_writer_run(&server->writer, message, &done);
        if (err != FK_OK) {
            defer(server, done, message);
        }
        fk_fifo_drop(&waiting);
    }
    fk_fifo_deinit(&waiting);
}

static void deliver_answers(struct sim_local_server *server, int64_t visible_zxid)
{
    struct fk_bytes message;
    while (!dead(server) && fk_local_channel_peek(server->channel, visible_zxid, &message)) {
        sim_local_answer(server, message);
        fk_local_channel_done(server->channel);
    }
}

static void deliver(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    const struct fk_change *change = NULL;
    deliver_answers(server, fk_store_zxid(server->store, FK_VIEW_VISIBLE));
    while (!dead(server) && (change = fk_local_store_next(server->store)) != NULL) {
        if (change->zxid != lab->told_zxid + 1) {
            sim_violation(lab->world, "C4", "zxid %" PRId64 " became visible after %" PRId64, change->zxid,
                          lab->told_zxid);
        }
        lab->told_zxid = change->zxid; /* whoever reads now has seen it */
        deliver_answers(server, change->zxid);
    }
}

/* Asks for the end of the next container that is due, as host/sweeper.c does. */
static void sweep(struct sim_local_server *server)
{
    struct fk_node node;
    struct fk_stat stat;
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_buf message = FK_BUF_EMPTY;
    if (!fk_local_store_next_swept(server->store, &node) || node.path.data == NULL ||
        !fk_node_due(&node, fk_clock_wall_ms(server->clock), server->writer.rules.never_used_ms)) {
        return;
    }
    fk_node_stat(&node, &stat);
    fk_write_sweep_request(
        &body, &(struct fk_sweep_request){.path = node.path, .version = stat.version, .cversion = stat.cversion});
    fk_request_message_begin(&message, &(struct fk_request_message){.gateway = 1, .ids = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_request_message_add(&message,
                           &(struct fk_request_operation){.op = FK_OP_SWEEP_NODE, .body = fk_buf_view(&body)});
    if (!body.failed && !message.failed) {
        (void)fk_queue_send(server->queue, 0, 0, fk_buf_view(&message));
    }
    fk_buf_deinit(&body);
    fk_buf_deinit(&message);
}

static void tick(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    server->tick_ns = sim_now_ns(lab->world) + SIM_LOCAL_TICK_MS * SIM_MS;
    struct sim_fault fault = sim_fault_at(lab->faults, SIM_ROLE_SERVER, SIM_CALL_PROCESS_TICK,
                                          SIM_FAULT_BIT(JUMP) | SIM_FAULT_BIT(FREEZE) | SIM_FAULT_BIT(SUSPEND));
    if (fault.kind == SIM_FAULT_JUMP) {
        sim_process_jump(server->process, fault.argument);
    } else if (fault.kind != SIM_FAULT_NONE) {
        sim_process_suspend(server->process, fault.argument * SIM_MS, fault.kind == SIM_FAULT_FREEZE);
        sim_sleep_ns(0);
        server->resumed_ns = sim_now_ns(lab->world);
    }
    sim_local_expire(server);
    retry_deferred(server);
    sweep(server);
    server->busy = false;
}

static void run_round(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    bool here = sim_below(lab->world, SIM_DICE_SCHEDULE, 100) < lab->options->inline_percent;
    run_functions(server);
    if (server->writer.answer_lost) {
        server->writer.answer_lost = false;
        sim_local_answers_lost(server);
    }
    if (!dead(server)) {
        fk_local_store_flush(server->store, here);
    }
    if (!dead(server)) {
        deliver(server);
    }
    bool still = !dead(server) && fk_store_zxid(server->store, FK_VIEW_VISIBLE) == sim_ledger_zxid(lab->ledger);
    if (still && sim_below(lab->world, SIM_DICE_SCHEDULE, 16) == 0) {
        sim_ledger_compare(lab->ledger, server->store, "while the server runs");
    }
}

/* Waits for something to do. */
static void rest(struct sim_local_server *server, int64_t next_ns)
{
    struct fk_bytes message;
    int64_t deadline = next_ns < server->tick_ns ? next_ns : server->tick_ns;
    if (!server->busy && fk_local_queue_peek(server->queue, &message)) {
        sim_sleep_ns((int64_t)sim_below(server->lab->world, SIM_DICE_SCHEDULE, 20000));
    } else {
        (void)sim_wait(&server->progress, deadline);
    }
}

/* Whether everything was answered in the end, and in time. */
static bool settled(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    struct fk_bytes message;
    if (!lab->settling) {
        return false;
    }
    if (!sim_local_waiting(lab) && !fk_local_queue_peek(server->queue, &message)) {
        return true;
    }
    if (sim_now_ns(lab->world) > server->started_ns + ANSWERED_WITHIN_S * SIM_S) {
        sim_violation(lab->world, "C12", "requests are not answered %d s after the last fault", ANSWERED_WITHIN_S);
        sim_sleep_ns(SIM_S);
    }
    return false;
}

/* The rounds, until the server dies or its time is over. */
static void run(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    sim_label("loop");
    server->started_ns = sim_now_ns(lab->world);
    server->tick_ns = server->started_ns + SIM_LOCAL_TICK_MS * SIM_MS;
    while (!dead(server) && !settled(server)) {
        if (!lab->settling && lab->result->operations >= lab->options->operations) {
            return;
        }
        if (!lab->settling && sim_chance(lab->world, SIM_DICE_WORKLOAD, lab->options->restarts)) {
            return;
        }
        int64_t next_ns = sim_local_act(server);
        if (server->tick_ns <= sim_now_ns(lab->world)) {
            tick(server);
        }
        run_round(server);
        if (!dead(server)) {
            rest(server, next_ns);
        }
    }
}

static bool serve(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    fk_fifo_init(&server->deferred, SIZE_MAX);
    sim_memory_spare_begin(); /* without these a host does not start */
    server->queue = fk_local_queue_new();
    server->channel = fk_local_channel_new();
    server->watched = sim_ledger_watch(lab->ledger, server->store);
    fk_writer_init(&server->writer, server->watched, server->channel, server->clock);
    server->writer.rules = (struct fk_rules){.enforce_quota = true, .never_used_ms = 1};
    sim_local_attach(server);
    sim_memory_spare_end();
    run(server);
    bool clean = !dead(server);
    sim_label("stop");
    fk_store_free(server->store);
    clean = clean && !dead(server);
    fk_writer_deinit(&server->writer);
    fk_channel_free(server->channel);
    fk_queue_free(server->queue);
    fk_fifo_deinit(&server->deferred);
    return clean;
}

void sim_local_live(void *context)
{
    struct sim_local_server *server = (struct sim_local_server *)context;
    struct sim_local *lab = server->lab;
    struct fk_diag diag = {.text = ""};
    sim_label("open");
    sim_signal_init(&server->progress);
    enum fk_err err = open_store(server, &diag);
    bool clean = false;
    if (err != FK_OK && !dead(server)) {
        sim_local_judge_refusal(lab, err, &diag);
    } else if (err == FK_OK && dead(server)) {
        fk_store_free(server->store);
    } else if (err == FK_OK) {
        sim_local_judge_start(lab, server->store);
        bool wrong = sim_disk_flipped(lab->disk)->path[0] != '\0' || lab->damage.path[0] != '\0';
        if (wrong) { /* what it has in memory may be wrong in ways that nobody can see: it must not write any more */
            sim_disk_exit(lab->disk);
        }
        clean = serve(server);
    }
    if (clean) {
        lab->told_zxid = sim_ledger_zxid(lab->ledger); /* a clean end keeps what was accepted */
    }
    sim_trace(lab->world, "the server has ended: %s", clean ? "cleanly" : err != FK_OK ? diag.text : "dead");
    fk_vfs_free(lab->vfs);
    lab->vfs = NULL;
    server->over = true;
    sim_wake(lab->world, &lab->ended);
}
