// SPDX-License-Identifier: Apache-2.0
#include "host/log_stream.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FLUSH_SECONDS = 1,
    FILE_MODE = 0640,
};

struct fk_log_stream {
    struct fk_log_stream_options options;
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t idle;
    pthread_t thread;
    char *waiting; /* lines nobody writes yet */
    char *writing; /* the thread's */
    size_t waiting_size;
    uint64_t waiting_lost; /* lines there was no room for */
    bool busy;             /* the thread is writing */
    bool reopen;
    bool stop;
    /* the thread's alone */
    int fd;
    int error;     /* of the last write that failed */
    uint64_t lost; /* lines not told of yet */
    bool torn;     /* half a line is in the file */
};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, FILE_MODE);
}

static uint64_t count_lines(const char *data, size_t size)
{
    uint64_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += data[i] == '\n';
    }
    return count;
}

/* False at the first error; what is left then is lost. */
static bool write_all(struct fk_log_stream *stream, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t done = write(stream->fd, data, size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            stream->error = done < 0 ? errno : ENOSPC;
            stream->lost += count_lines(data, size);
            return false;
        }
        stream->torn = data[done - 1] != '\n';
        data += done;
        size -= (size_t)done;
    }
    return true;
}

/* Ends half a line, and tells what is missing. False where writing still does not work. */
static bool write_lost(struct fk_log_stream *stream)
{
    char line[FK_LOG_LINE_SIZE_MAX];
    uint64_t lost = stream->lost;
    if (stream->torn && !write_all(stream, "\n", 1)) {
        stream->lost = lost;
        return false;
    }
    if (lost == 0) {
        return true;
    }
    size_t size = stream->options.lost_line(line, lost, stream->error);
    bool written = write_all(stream, line, size);
    stream->lost = written ? 0 : lost;
    return written;
}

/* `dropped` lines came behind the piece. */
static void write_piece(struct fk_log_stream *stream, size_t size, uint64_t dropped)
{
    bool written = write_lost(stream);
    if (!written) {
        stream->lost += count_lines(stream->writing, size);
    } else {
        written = write_all(stream, stream->writing, size);
    }
    stream->lost += dropped;
    if (written) {
        stream->error = 0;
        (void)write_lost(stream);
    }
}

static void reopen_file(struct fk_log_stream *stream)
{
    int fd = open_file(stream->options.path);
    if (fd >= 0) {
        (void)close(stream->fd);
        stream->fd = fd;
        stream->torn = false;
    }
}

static void *run(void *context)
{
    struct fk_log_stream *stream = (struct fk_log_stream *)context;
    (void)pthread_mutex_lock(&stream->lock);
    for (;;) {
        while (stream->waiting_size == 0 && stream->waiting_lost == 0 && !stream->reopen && !stream->stop) {
            (void)pthread_cond_wait(&stream->work, &stream->lock);
        }
        bool reopen = stream->reopen;
        size_t size = stream->waiting_size;
        uint64_t lost = stream->waiting_lost;
        if (stream->stop && size == 0 && lost == 0) {
            break;
        }
        char *piece = stream->waiting;
        stream->waiting = stream->writing;
        stream->writing = piece;
        stream->waiting_lost = 0;
        stream->waiting_size = 0;
        stream->reopen = false;
        stream->busy = true;
        (void)pthread_mutex_unlock(&stream->lock);
        write_piece(stream, size, lost); /* what came before the signal belongs into the old file */
        if (reopen) {
            reopen_file(stream);
        }
        (void)pthread_mutex_lock(&stream->lock);
        stream->busy = false;
        (void)pthread_cond_broadcast(&stream->idle);
    }
    (void)pthread_mutex_unlock(&stream->lock);
    return NULL;
}

/* Signals are the loop's. */
static bool start_thread(struct fk_log_stream *stream)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&stream->thread, NULL, run, stream) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void free_stream(struct fk_log_stream *stream)
{
    if (stream->options.path != NULL && stream->fd >= 0) {
        (void)close(stream->fd);
    }
    fk_free(stream->waiting);
    fk_free(stream->writing);
    fk_free(stream);
}

enum fk_err fk_log_stream_open(const struct fk_log_stream_options *options, struct fk_log_stream **out,
                               struct fk_diag *diag)
{
    struct fk_log_stream *stream = (struct fk_log_stream *)fk_alloc_zero(sizeof *stream);
    if (stream == NULL) {
        return FK_ERR_NOMEM;
    }
    stream->options = *options;
    stream->fd = options->path == NULL ? STDERR_FILENO : open_file(options->path);
    int error = errno;
    stream->waiting = (char *)fk_alloc(options->waiting_size_max);
    stream->writing = (char *)fk_alloc(options->waiting_size_max);
    enum fk_err err = FK_OK;
    if (stream->fd < 0) {
        fk_diag_set(diag, "can't write the log file '%s': %s", options->path, strerror(error));
        err = FK_ERR_IO;
    } else if (stream->waiting == NULL || stream->writing == NULL) {
        err = FK_ERR_NOMEM;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&stream->lock, NULL);
    (void)pthread_cond_init(&stream->work, NULL);
    (void)pthread_cond_init(&stream->idle, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (err == FK_OK && !start_thread(stream)) {
        fk_diag_set(diag, "can't start the thread of the log");
        err = FK_ERR_IO;
    }
    if (err != FK_OK) {
        free_stream(stream);
        return err;
    }
    *out = stream;
    return FK_OK;
}

void fk_log_stream_add(struct fk_log_stream *stream, struct fk_bytes line)
{
    (void)pthread_mutex_lock(&stream->lock);
    if (stream->waiting_lost > 0 || line.size > stream->options.waiting_size_max - stream->waiting_size) {
        stream->waiting_lost++; /* also what would fit: no line stands behind a gap before the gap is told of */
    } else {
        memcpy(stream->waiting + stream->waiting_size, line.data, line.size);
        stream->waiting_size += line.size;
    }
    (void)pthread_cond_signal(&stream->work);
    (void)pthread_mutex_unlock(&stream->lock);
}

void fk_log_stream_reopen(struct fk_log_stream *stream)
{
    if (stream->options.path == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&stream->lock);
    stream->reopen = true;
    (void)pthread_cond_signal(&stream->work);
    (void)pthread_mutex_unlock(&stream->lock);
}

/* With the lock; false where it took too long. */
static bool wait_idle(struct fk_log_stream *stream)
{
    struct timespec until;
    int result = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FLUSH_SECONDS;
    while ((stream->busy || stream->waiting_size > 0) && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&stream->idle, &stream->lock, &until);
    }
    return !stream->busy && stream->waiting_size == 0;
}

void fk_log_stream_flush(struct fk_log_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    (void)wait_idle(stream);
    (void)pthread_mutex_unlock(&stream->lock);
}

void fk_log_stream_close(struct fk_log_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&stream->lock);
    bool idle = wait_idle(stream);
    stream->stop = true;
    (void)pthread_cond_signal(&stream->work);
    (void)pthread_mutex_unlock(&stream->lock);
    if (!idle) {
        (void)pthread_detach(stream->thread); /* it hangs in write(); the process ends anyway, and must not wait */
        return;
    }
    (void)pthread_join(stream->thread, NULL);
    (void)pthread_mutex_destroy(&stream->lock);
    (void)pthread_cond_destroy(&stream->work);
    (void)pthread_cond_destroy(&stream->idle);
    free_stream(stream);
}
