// SPDX-License-Identifier: Apache-2.0
/* Requests on their way to the functions, single hop. The queue is one group: a function gets a few of its messages at
 * a time, whatever they hold. So a gateway has few messages on the way; what its connections ask meanwhile waits here,
 * and goes together in the next one. The order inside a session is kept: a connection has one job of requests at a
 * time.
 *
 * How many messages are on the way is only counted to pace them: one that is lost counts for a while. */
#include "gateway/cloud_internal.h"

#include "function/bundle.h"

static struct fk_cloud_pace *free_place(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    for (size_t i = 0; i < FK_MESSAGES_UNANSWERED_MAX; i++) {
        if (cloud->pace[i].message == 0 || gateway->now_ms >= cloud->pace[i].until_ms) {
            return &cloud->pace[i];
        }
    }
    return NULL;
}

void fk_cloud_send_answered(struct fk_cloud *cloud, const struct fk_cloud_write *write)
{
    for (size_t i = 0; i < FK_MESSAGES_UNANSWERED_MAX && write->message != 0; i++) {
        if (cloud->pace[i].message == write->message) {
            cloud->pace[i].message = 0;
        }
    }
}

static struct fk_cloud_job *job_at(struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct fk_cloud_job, in_bundle);
}

/* The requests of the job travel in this message. */
static void number_writes(const struct fk_cloud_job *job, int64_t message)
{
    struct fk_cloud_conn *conn = job->base.conn == NULL ? NULL : job->base.conn->cloud;
    for (uint32_t i = 0; conn != NULL && i < conn->count; i++) {
        struct fk_cloud_write *write = fk_cloud_write_at(conn, i);
        write->message = write->message == 0 ? message : write->message;
    }
}

/* A message of what waits, as much of it as fits; NULL where it is only one, or there is no memory for more. */
static struct fk_cloud_job *make_bundle(struct fk_gateway *gateway)
{
    struct fk_list *unsent = &gateway->cloud->unsent;
    struct fk_cloud_job *carrier = unsent->next->next == unsent ? NULL : fk_cloud_job_new(gateway, FK_JOB_SEND);
    size_t count = 0;
    if (carrier == NULL) {
        return NULL;
    }
    struct fk_buf *buf = &carrier->base.request;
    fk_bundle_begin(buf);
    for (struct fk_list *link = unsent->next; link != unsent; link = link->next) {
        struct fk_bytes message = fk_buf_view(&job_at(link)->base.request);
        if (buf->size + 4 + message.size > FK_MESSAGE_SIZE_MAX) {
            break;
        }
        fk_bundle_add(buf, message);
        count++;
    }
    if (count < 2 || buf->failed) {
        fk_cloud_job_release(gateway, carrier);
        return NULL;
    }
    for (; count > 0; count--) {
        fk_list_append(&carrier->members, fk_list_take(unsent));
    }
    carrier->deduplication_id = fk_cloud_draw(gateway);
    return carrier;
}

void fk_cloud_send_more(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    struct fk_cloud_pace *place = NULL;
    while (!fk_list_empty(&cloud->unsent) && (place = free_place(gateway)) != NULL) {
        struct fk_cloud_job *job = make_bundle(gateway);
        if (job == NULL) {
            job = job_at(fk_list_take(&cloud->unsent));
        }
        *place = (struct fk_cloud_pace){.message = ++cloud->messages,
                                        .until_ms = gateway->now_ms + cloud->options.answer_ms};
        number_writes(job, cloud->messages);
        for (struct fk_list *link = job->members.next; link != &job->members; link = link->next) {
            number_writes(job_at(link), cloud->messages);
        }
        fk_cloud_job_start(gateway, job);
    }
}

void fk_cloud_send(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    if (gateway->cloud->options.pipeline) { /* each session is a group of its own */
        fk_cloud_job_start(gateway, job);
        return;
    }
    fk_list_append(&gateway->cloud->unsent, &job->in_bundle);
    fk_cloud_send_more(gateway);
}
