// SPDX-License-Identifier: Apache-2.0
/* The end of a gateway that is told to go. It lets what is under way end and closes its connections, so that clients go
 * elsewhere and take their sessions over. Sessions are not closed. Then it asks to be declared dead, with the counter
 * of its own record, as a sweep would that saw it stand still: from that commit on its sessions have their whole
 * timeout (H21), and its lease is not waited for. It is safe whenever it comes: the gateway renews no more, and nobody
 * is connected. If the request is lost, or a fence has raised the counter, the lease runs out as after a crash. */
#include "gateway/cloud_internal.h"

#include "function/sweep.h"

static bool quiet(const struct fk_conn *conn)
{
    const struct fk_cloud_conn *cloud = conn->cloud;
    return cloud == NULL || (cloud->count == 0 && cloud->send == NULL && cloud->read == NULL);
}

bool fk_cloud_leave_conn(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (!gateway->cloud->leaving || conn->state == FK_CONN_CLOSING || !quiet(conn)) {
        return false;
    }
    fk_cloud_conn_detach(gateway, conn); /* its session stays */
    fk_conn_close(gateway, conn);
    return true;
}

void fk_cloud_gateway_leave(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    fk_gateway_touch_clock(gateway);
    cloud->leaving = true;
    cloud->leave_ms = gateway->now_ms + FK_LEAVE_MS;
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        (void)fk_cloud_leave_conn(gateway, FK_CONTAINER_OF(link, struct fk_conn, link));
    }
}

bool fk_cloud_gateway_left(const struct fk_gateway *gateway)
{
    return gateway->cloud->left;
}

static void give_up_connections(struct fk_gateway *gateway)
{
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        fk_cloud_conn_drop(gateway, FK_CONTAINER_OF(link, struct fk_conn, link));
    }
}

void fk_cloud_leave_tick(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    if (!cloud->leaving || cloud->asked) {
        return;
    }
    if (gateway->now_ms >= cloud->leave_ms) {
        give_up_connections(gateway);
    }
    if (gateway->conn_count > 0 || cloud->renewing) { /* a renewal at work would raise the counter */
        return;
    }
    struct fk_cloud_job *job = fk_cloud_job_new(gateway, FK_JOB_LEAVE);
    if (job != NULL) {
        cloud->asked = true;
        fk_cloud_job_start(gateway, job);
    }
}

void fk_cloud_leave_run(struct fk_cloud_job *job, const struct fk_cloud_options *options, const struct fk_ports *ports)
{
    struct fk_gateway_record self;
    int64_t stamp = 0;
    job->err = fk_cloud_self_run(job, ports, &self, &stamp);
    if (job->err == FK_OK && stamp != 0 && self.alive) {
        job->err = fk_sweep_declare_dead(options, ports, job->gateway, self.counter);
    }
}

/* If it could not be sent the lease runs out, as after a crash. */
void fk_cloud_leave_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    fk_cloud_job_release(gateway, job);
    cloud->left = true;
    cloud->dead = true;
    fk_cloud_drop_jobs(gateway);
}
