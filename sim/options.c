// SPDX-License-Identifier: Apache-2.0
#include "sim/options.h"

#include "sim/dice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct field {
    const char *name;
    const char *what;
    size_t offset;
};

static const struct field fields[] = {
#define SIM_OPTION_ROW(name, what) {#name, what, offsetof(struct sim_options, name)},
    SIM_OPTION_TABLE(SIM_OPTION_ROW)
#undef SIM_OPTION_ROW
};

enum {
    FIELDS = sizeof fields / sizeof fields[0],
};

static int64_t *value_of(struct sim_options *options, size_t field)
{
    return (int64_t *)(void *)((char *)options + fields[field].offset);
}

/* Evenly in [low, high]. */
static int64_t between(uint64_t *dice, int64_t low, int64_t high)
{
    return low + (int64_t)sim_dice_scale(sim_dice_next(dice), (uint64_t)(high - low + 1));
}

static int64_t one_of(uint64_t *dice, const int64_t *values, size_t count)
{
    return values[sim_dice_scale(sim_dice_next(dice), count)];
}

#define ONE_OF(dice, ...) one_of(dice, (const int64_t[]){__VA_ARGS__}, sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))

/* Times are shrunk against production, the order between them is kept. */
static void draw_cloud(struct sim_options *options, uint64_t *dice)
{
    options->latency_us = ONE_OF(dice, 500, 2000, 5000, 20000);
    options->net_us = ONE_OF(dice, 300, 2000, 10000);
    options->period_ms = between(dice, 1000, 3000);
    options->skew_ms = ONE_OF(dice, 0, 50, 500);
    options->lease_ms = options->period_ms * between(dice, 2, 4);
    options->hold_ms = between(dice, 20, 300);
    options->answer_ms = between(dice, 200, 1500);
    options->lock_ms = between(dice, 500, 3000);
    options->function_ms = between(dice, 1000, 4000);
    options->visibility_ms = options->function_ms + between(dice, 500, 3000);
    options->items = ONE_OF(dice, 100, 100, 30, 16);
    options->inline_size = ONE_OF(dice, 700, 100, 16);
    options->pend = ONE_OF(dice, 8, 8, 1, 0);
    options->item_size = options->inline_size * ONE_OF(dice, 2, 8);
    /* Slow services with small batches do not keep up with what sweeps alone ask for. */
    options->batch = options->latency_us > 2000 ? 10 : ONE_OF(dice, 10, 10, 3, 1);
    options->sweep_ms = between(dice, 2000, 8000);
}

/* Swarm: some kinds at some places, so that no kind hides another one. */
static void draw_faults(struct sim_options *options, uint64_t *dice)
{
    const int64_t all = (INT64_C(1) << SIM_FAULT_COUNT) - 2;
    options->faults = ONE_OF(dice, 5000, 20000, 20000, 50000, 100000);
    options->kinds = all & (int64_t)(sim_dice_next(dice) | (sim_dice_next(dice) & sim_dice_next(dice)));
    if (between(dice, 0, 3) == 0) {
        options->kinds = all;
    }
    options->roles = between(dice, 0, 3) > 0 ? (1 << SIM_ROLE_COUNT) - 1 : between(dice, 1, (1 << SIM_ROLE_COUNT) - 1);
    options->wild_clocks = between(dice, 0, 9) == 0;
    options->clock_ms = options->wild_clocks != 0 ? 600000 : options->skew_ms / 2;
    options->zombie_ms = options->lease_ms + options->visibility_ms;
    if (between(dice, 0, 19) == 0) {
        options->faults = 0;
    }
}

static void draw_run(struct sim_options *options, uint64_t *dice)
{
    options->gateways = ONE_OF(dice, 1, 2, 2, 3, 4);
    options->restart_ms = between(dice, 100, 8000);
    options->timeout_min_ms = 2000;
    options->timeout_max_ms = 40000;
    options->safety_ms = 120000;
    options->containers = 1;
    options->pipeline = between(dice, 0, 2) == 0 ? 1 : 0;
    options->quotas = between(dice, 0, 3) == 0 ? 1 : 0;
}

static void take_workload(struct sim_options *options)
{
    const struct sim_workload_options *workload = &options->workload;
    options->clients = workload->clients;
    options->actions = workload->actions;
    options->client_mask = (int64_t)workload->mask;
    options->actions_max = workload->actions_max;
    options->depth = workload->depth;
    options->think_ms = workload->think_ms;
    options->session_ms = workload->timeout_ms;
}

static void give(struct sim_options *options)
{
    options->cloud = fk_cloud_defaults();
    options->cloud.rules.extended_types = true;
    options->cloud.pipeline = options->pipeline != 0;
    options->cloud.period_ms = (int32_t)options->period_ms;
    options->cloud.lease_ms = (int32_t)options->lease_ms;
    options->cloud.look_ms = (int32_t)(options->period_ms * 2 / 3); /* as in production */
    options->cloud.hold_ms = (int32_t)options->hold_ms;
    options->cloud.skew_ms = (int32_t)options->skew_ms;
    options->cloud.answer_ms = (int32_t)options->answer_ms;
    options->cloud.lock_ms = (int32_t)options->lock_ms;
    options->cloud.function_ms = (int32_t)options->function_ms;
    options->cloud.commit_items_max = (int32_t)options->items;
    options->cloud.inline_size_max = (int32_t)options->inline_size;
    options->cloud.orphan_sweeps = 1;
    options->cloud.session_sweeps = 2;
    options->cloud.pend_unread_max = (int32_t)options->pend;
    options->cloud.item_size_max = (int32_t)options->item_size;
    options->cloud.message_size_max = options->cloud.item_size_max + 300; /* what is larger than an item and its path */
    options->swarm = (struct sim_swarm){.kinds = (uint64_t)options->kinds,
                                        .roles = (uint32_t)options->roles,
                                        .per_million = (uint32_t)options->faults,
                                        .zombie_ms = options->zombie_ms,
                                        .skew_ms = options->clock_ms};
}

static void give_workload(struct sim_options *options)
{
    struct sim_workload_options *workload = &options->workload;
    workload->clients = (int)options->clients;
    workload->actions = (int)options->actions;
    workload->mask = (uint64_t)options->client_mask;
    workload->actions_max = (int)options->actions_max;
    workload->depth = (int)options->depth;
    workload->think_ms = (int32_t)options->think_ms;
    workload->timeout_ms = (int32_t)options->session_ms;
    workload->next_timeout_ms = (int32_t)options->next_ms;
    workload->newer = options->newer != 0;
    workload->quotas = options->quotas != 0;
    options->cloud.rules.enforce_quota = options->quotas != 0 && options->pipeline == 0;
    if (options->containers == 0) {
        workload->weights[SIM_ACTION_CREATE_CONTAINER] = 0;
        workload->weights[SIM_ACTION_CREATE_TTL] = 0;
    }
}

static bool set_one(struct sim_options *options, const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    for (size_t i = 0; equals != NULL && i < FIELDS; i++) {
        size_t name = (size_t)(equals - text);
        if (strlen(fields[i].name) == name && memcmp(fields[i].name, text, name) == 0) {
            char *end = NULL;
            *value_of(options, i) = (int64_t)strtoull(equals + 1, &end, 0);
            return end == text + size && size > name + 1;
        }
    }
    return false;
}

static bool apply(struct sim_options *options, const char *settings, char *wrong, size_t size)
{
    while (settings != NULL && *settings != '\0') {
        size_t length = strcspn(settings, ",");
        if (!set_one(options, settings, length)) {
            (void)snprintf(wrong, size, "%.*s", (int)length, settings);
            return false;
        }
        settings += length + (settings[length] == ',');
    }
    return true;
}

/* One run in three has clients that ask for another timeout when they come back. */
static void draw_next_timeout(struct sim_options *options, uint64_t *dice)
{
    options->next_ms = ONE_OF(dice, options->session_ms, options->session_ms, options->session_ms, options->session_ms,
                              options->session_ms / 2, options->session_ms * 2);
}

bool sim_options_draw(struct sim_options *options, uint64_t seed, const char *settings, char *wrong, size_t size)
{
    uint64_t dice = sim_mix(seed + UINT64_C(0x51ed270b35ae5a1f));
    *options = (struct sim_options){.seed = seed};
    draw_cloud(options, &dice);
    draw_faults(options, &dice);
    draw_run(options, &dice);
    if (!apply(options, settings, wrong, size)) {
        return false;
    }
    give(options);
    sim_workload_draw(&options->workload, seed, &options->cloud);
    take_workload(options);
    draw_next_timeout(options, &dice);
    (void)apply(options, settings, wrong, size);
    give_workload(options);
    return true;
}

static void take_cloud(struct sim_options *options, const struct fk_cloud_options *cloud)
{
    options->pipeline = cloud->pipeline;
    options->period_ms = cloud->period_ms;
    options->lease_ms = cloud->lease_ms;
    options->hold_ms = cloud->hold_ms;
    options->skew_ms = cloud->skew_ms;
    options->answer_ms = cloud->answer_ms;
    options->lock_ms = cloud->lock_ms;
    options->function_ms = cloud->function_ms;
    options->items = cloud->commit_items_max;
    options->inline_size = cloud->inline_size_max;
    options->pend = cloud->pend_unread_max;
    options->item_size = cloud->item_size_max;
}

bool sim_options_scenario(struct sim_options *options, const struct sim_scenario *scenario, uint64_t seed,
                          const char *settings, char *wrong, size_t size)
{
    if (!sim_options_draw(options, seed, settings, wrong, size)) {
        return false;
    }
    struct fk_cloud_options cloud = fk_cloud_defaults();
    cloud.pipeline = options->pipeline != 0;
    sim_scenario_limits(scenario, &cloud);
    take_cloud(options, &cloud);
    options->gateways = scenario->gateways;
    options->latency_us = 2000;
    options->net_us = 1000;
    options->batch = FK_QUEUE_BATCH_MAX;
    options->visibility_ms = options->function_ms + 1000;
    options->sweep_ms = options->period_ms;
    options->restart_ms = 1000;
    options->next_ms = 0;
    options->faults = 0;
    options->wild_clocks = 0;
    options->clock_ms = options->skew_ms / 2;
    options->zombie_ms = options->lease_ms + options->visibility_ms;
    (void)apply(options, settings, wrong, size);
    give(options);
    options->workload.next_timeout_ms = (int32_t)options->next_ms;
    return true;
}

void sim_options_print(const struct sim_options *options, struct fk_buf *out)
{
    for (size_t i = 0; i < FIELDS; i++) {
        int64_t value;
        memcpy(&value, (const char *)options + fields[i].offset, sizeof value);
        fk_buf_print(out, "%s%s=%" PRId64, i == 0 ? "" : ",", fields[i].name, value);
    }
}

void sim_options_help(struct fk_buf *out)
{
    for (size_t i = 0; i < FIELDS; i++) {
        fk_buf_print(out, "    %-16s %s\n", fields[i].name, fields[i].what);
    }
}
