// SPDX-License-Identifier: Apache-2.0
/* A gateway's deployment on AWS: its ports, the receiving end of its channel, the schedule of its heartbeat. */
#include "cli/gateway.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/log.h"
#include "cli/cli.h"
#include "driver/aws/mailbox.h"
#include "driver/aws/schedule.h"
#include "host/aws_ports.h"
#include "host/posix_clock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HOST_MAX = 63,
};

struct place {
    struct fk_aws_settings *settings;
    struct fk_deployment deployment;
    const char *channel;
    struct fk_aws *aws;     /* of the thread that opens all this, then of the upkeep */
    struct fk_aws *receive; /* of the thread that receives */
};

/* What one thread has. */
struct opened {
    struct fk_ports ports;
    struct fk_aws *aws;
    struct fk_aws_ports *drivers;
};

static struct fk_aws *new_aws(const struct place *place)
{
    return fk_aws_new(place->settings, fk_posix_clock(), fk_posix_random());
}

static const struct fk_ports *open_ports(void *context)
{
    const struct place *place = (const struct place *)context;
    struct opened *opened = (struct opened *)fk_alloc_zero(sizeof *opened);
    if (opened == NULL) {
        return NULL;
    }
    opened->aws = new_aws(place);
    if (opened->aws == NULL || fk_aws_ports_new(opened->aws, &place->deployment, fk_posix_clock(), fk_posix_random(),
                                                &opened->drivers) != FK_OK) {
        fk_aws_free(opened->aws);
        fk_free(opened);
        return NULL;
    }
    opened->ports = *fk_aws_ports_get(opened->drivers);
    return &opened->ports;
}

static struct opened *opened_of(const struct fk_ports *ports)
{
    return FK_CONTAINER_OF((struct fk_ports *)(uintptr_t)ports, struct opened, ports);
}

static void close_ports(void *context, const struct fk_ports *ports)
{
    struct opened *opened = opened_of(ports);
    (void)context;
    fk_aws_ports_free(opened->drivers);
    fk_aws_free(opened->aws);
    fk_free(opened);
}

static const char *port_error(void *context, const struct fk_ports *ports)
{
    (void)context;
    return fk_aws_diag(opened_of(ports)->aws);
}

/* The address from which this machine reaches others: nothing is sent. False where there is none. */
static bool own_address(char *text, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
    socklen_t length = sizeof name;
    char host[INET_ADDRSTRLEN];
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)inet_pton(AF_INET, "192.0.2.1", &name.sin_addr); /* RFC 5737: nobody's */
    bool found = descriptor >= 0 && connect(descriptor, (const struct sockaddr *)&name, sizeof name) == 0 &&
                 getsockname(descriptor, (struct sockaddr *)&name, &length) == 0 &&
                 inet_ntop(AF_INET, &name.sin_addr, host, sizeof host) != NULL;
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    if (found) {
        (void)snprintf(text, size, "%s:0", host);
    }
    return found;
}

/* tcp, tcp:HOST or tcp:HOST:PORT; HOST of IPv6 in brackets. */
static enum fk_err tcp_mailbox(const char *channel, int64_t gateway, struct fk_mailbox **mailbox, struct fk_diag *diag)
{
    char address[HOST_MAX + sizeof ":65535"];
    if (channel[3] == '\0') {
        if (!own_address(address, sizeof address)) {
            fk_diag_set(diag, "--channel tcp: this machine has no address that others reach; say tcp:HOST[:PORT]");
            return FK_ERR_USAGE;
        }
    } else {
        const char *host = channel + 4;
        const char *end = strrchr(host, ']');
        bool has_port = strchr(end == NULL ? host : end, ':') != NULL;
        if (strlen(host) > HOST_MAX) {
            fk_diag_set(diag, "--channel %s: the address is too long", channel);
            return FK_ERR_USAGE;
        }
        (void)snprintf(address, sizeof address, has_port ? "%s" : "%s:0", host);
    }
    return fk_tcp_mailbox_new(address, NULL, gateway, fk_posix_random(), mailbox, diag);
}

static enum fk_err open_mailbox(void *context, int64_t gateway, struct fk_mailbox **mailbox, struct fk_diag *diag)
{
    struct place *place = (struct place *)context;
    if (strcmp(place->channel, "sqs") != 0) {
        return tcp_mailbox(place->channel, gateway, mailbox, diag);
    }
    place->receive = new_aws(place);
    if (place->receive == NULL) {
        return FK_ERR_NOMEM;
    }
    return fk_sqs_mailbox_new(place->receive, &place->deployment, gateway, fk_posix_random(), mailbox, diag);
}

/* A sweep that finds no gateway alive disables the schedule: it may have looked just before this one began. */
static enum fk_err keep_schedule(void *context, struct fk_diag *diag)
{
    const struct place *place = (const struct place *)context;
    enum fk_err err =
        place->deployment.schedule[0] == '\0' ? FK_OK : fk_schedule_set(place->aws, place->deployment.name, true);
    if (err != FK_OK) {
        fk_diag_set(diag, "the schedule of the heartbeat can't be enabled: %s", fk_aws_diag(place->aws));
    }
    return err;
}

static void close_place(void *opened)
{
    struct place *place = (struct place *)opened;
    fk_aws_free(place->aws);
    fk_aws_free(place->receive);
    fk_aws_settings_free(place->settings);
    fk_free(place);
}

/* What the deployment says, or what to do about it that it says nothing. */
static enum fk_err load(struct place *place, const char *name, struct fk_diag *diag)
{
    enum fk_err err = fk_deployment_load(place->aws, name, &place->deployment, diag);
    const char *region = fk_aws_region(place->settings);
    if (err == FK_ERR_NOT_FOUND) {
        fk_diag_set(diag,
                    "there is no deployment '%s' in %s: 'faaskeeper deploy aws --name %s' makes one, --region says "
                    "where it is",
                    name, region, name);
    } else if (err != FK_OK && diag->text[0] == '\0') {
        fk_diag_set(diag, "the deployment '%s' in %s can't be read: %s", name, region, fk_aws_diag(place->aws));
    }
    return err == FK_ERR_USAGE ? FK_ERR_IO : err; /* no credentials, no permission: it is not how we were called */
}

/* What `faaskeeper deploy` says decides, for reads as for writes; a key of the configuration that says something else
 * is named. A scheme that this gateway can't authenticate by may be another gateway's. */
static void take_rules(const struct place *place, struct fk_cloud_host_options *host)
{
    const struct fk_rules decided = fk_deployment_get_rules(&place->deployment);
    struct fk_rules asked = host->gateway.rules;
    const struct fk_rules defaults = {.extended_types = false};
    host->cloud.rules = decided;
    host->gateway.rules = decided;
    asked.schemes |= decided.schemes;
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        char texts[3][FK_DEPLOYMENT_RULE_SIZE];
        fk_deployment_rule_text(i, &asked, texts[0]);
        fk_deployment_rule_text(i, &decided, texts[1]);
        fk_deployment_rule_text(i, &defaults, texts[2]);
        if (strcmp(texts[0], texts[1]) != 0 && strcmp(texts[0], texts[2]) != 0) {
            fk_log_with(FK_LOG_WARN, "the deployment decides this, and otherwise than the configuration here",
                        fk_log_text("key", fk_deployment_rules[i].key), fk_log_text("here", texts[0]),
                        fk_log_text("deployment", texts[1]), fk_log_text("changed_by", fk_deployment_rules[i].option));
        }
    }
}

static enum fk_err open_place(const struct fk_gateway_place *what, struct fk_cloud_host_options *host, void **opened,
                              struct fk_diag *diag)
{
    struct place *place = (struct place *)fk_alloc_zero(sizeof *place);
    if (place == NULL) {
        return FK_ERR_NOMEM;
    }
    place->channel = what->channel;
    enum fk_err err = fk_deployment_init(&place->deployment, what->deployment, diag);
    if (err == FK_OK) {
        err = fk_aws_settings_new(fk_posix_clock(), what->region, &place->settings, diag);
    }
    if (err == FK_OK) {
        place->aws = new_aws(place);
        err = place->aws == NULL ? FK_ERR_NOMEM : load(place, what->deployment, diag);
    }
    if (err != FK_OK) {
        close_place(place);
        return err;
    }
    host->cloud.pipeline = place->deployment.pipeline;
    take_rules(place, host);
    host->source =
        (struct fk_port_source){.context = place, .open = open_ports, .close = close_ports, .error = port_error};
    host->open_mailbox = open_mailbox;
    host->keep = keep_schedule;
    host->context = place;
    *opened = place;
    return FK_OK;
}

int fk_cli_gateway(int argc, char **argv)
{
    static const struct fk_gateway_cloud aws = {.open = open_place, .close = close_place};
    return fk_cli_gateway_over(argc, argv, &aws);
}
