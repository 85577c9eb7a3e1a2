// SPDX-License-Identifier: Apache-2.0
/* A context is created by ucontext and switched by _setjmp and _longjmp, which make no system call; under
 * AddressSanitizer by swapcontext, as it takes a longjmp for the end of a function. This file is built without
 * _FORTIFY_SOURCE, whose longjmp refuses to change the stack. */
#include "sim/fiber.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#    define SIM_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define SIM_ASAN 1
#    endif
#endif

#ifdef SIM_ASAN
#    include <sanitizer/asan_interface.h>
#    include <sanitizer/common_interface_defs.h>
#endif

enum {
    GUARD_SIZE = 4096,
#ifdef SIM_ASAN
    STACK_SIZE = 512 * 1024, /* instrumented frames are larger */
#else
    STACK_SIZE = 128 * 1024,
#endif
};

#ifdef SIM_ASAN
typedef ucontext_t place;
#else
typedef jmp_buf place;
#endif

struct sim_fiber {
    struct sim_fiber *next; /* in the pool */
    place at;
    uint8_t *stack; /* the guard page comes first */
    void *fake_stack;
    void (*run)(void *context);
    void *context;
    bool started; /* its stack stands in the loop of enter */
    bool ended;
};

static struct sim_fiber *pool;
static struct sim_fiber *running;
static place scheduler;

static void enter(void);

static void prepare(struct sim_fiber *fiber, ucontext_t *context)
{
    int failed = getcontext(context);
    FK_ASSERT(failed == 0);
    context->uc_stack.ss_sp = fiber->stack + GUARD_SIZE;
    context->uc_stack.ss_size = STACK_SIZE;
    context->uc_link = NULL;
    makecontext(context, enter, 0);
    fiber->started = true;
}

#ifdef SIM_ASAN
static const void *scheduler_stack;
static size_t scheduler_stack_size;

void sim_fiber_yield(void)
{
    struct sim_fiber *self = running;
    __sanitizer_start_switch_fiber(&self->fake_stack, scheduler_stack, scheduler_stack_size);
    (void)swapcontext(&self->at, &scheduler);
    __sanitizer_finish_switch_fiber(self->fake_stack, &scheduler_stack, &scheduler_stack_size);
}

static void go(struct sim_fiber *fiber)
{
    void *fake_stack = NULL;
    if (!fiber->started) {
        prepare(fiber, &fiber->at);
    }
    __sanitizer_start_switch_fiber(&fake_stack, fiber->stack + GUARD_SIZE, STACK_SIZE);
    (void)swapcontext(&scheduler, &fiber->at);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

static void entered(void)
{
    __sanitizer_finish_switch_fiber(NULL, &scheduler_stack, &scheduler_stack_size);
}

static void forget(struct sim_fiber *fiber)
{
    fiber->fake_stack = NULL;
    __asan_unpoison_memory_region(fiber->stack + GUARD_SIZE, STACK_SIZE);
}
#else
void sim_fiber_yield(void)
{
    if (_setjmp(running->at) == 0) {
        _longjmp(scheduler, 1);
    }
}

static void go(struct sim_fiber *fiber)
{
    if (_setjmp(scheduler) != 0) {
        return;
    }
    if (fiber->started) {
        _longjmp(fiber->at, 1);
    }
    ucontext_t context;
    prepare(fiber, &context);
    (void)setcontext(&context);
}

static void entered(void)
{
}

static void forget(struct sim_fiber *fiber)
{
    (void)fiber;
}
#endif

/* Runs one function after the other: a fiber that ended waits here for its next one. */
static void enter(void)
{
    entered();
    for (;;) {
        running->run(running->context);
        running->ended = true;
        sim_fiber_yield();
    }
}

static struct sim_fiber *make(void)
{
    struct sim_fiber *fiber = calloc(1, sizeof *fiber);
    FK_ASSERT(fiber != NULL);
    void *stack = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    FK_ASSERT(stack != MAP_FAILED);
    int failed = mprotect(stack, GUARD_SIZE, PROT_NONE);
    FK_ASSERT(failed == 0);
    fiber->stack = stack;
    return fiber;
}

struct sim_fiber *sim_fiber_new(void (*run)(void *context), void *context)
{
    struct sim_fiber *fiber = pool;
    if (fiber == NULL) {
        fiber = make();
    } else {
        pool = fiber->next;
    }
    fiber->run = run;
    fiber->context = context;
    fiber->ended = false;
    return fiber;
}

static void put_back(struct sim_fiber *fiber)
{
    fiber->next = pool;
    pool = fiber;
}

void sim_fiber_drop(struct sim_fiber *fiber)
{
    FK_ASSERT(fiber != running);
    if (!fiber->started) {
        put_back(fiber);
        return;
    }
    fiber->started = false;
    forget(fiber);
    put_back(fiber);
}

bool sim_fiber_resume(struct sim_fiber *fiber)
{
    FK_ASSERT(running == NULL);
    running = fiber;
    go(fiber);
    struct sim_fiber *back = running;
    running = NULL;
    if (!back->ended) {
        return false;
    }
    put_back(back);
    return true;
}
