// SPDX-License-Identifier: Apache-2.0
#include "host/log.h"

#include <stdio.h>
#include <time.h>

void fk_host_log_time(char text[FK_LOG_TIME_SIZE])
{
    struct timespec now;
    struct tm parts;
    char seconds[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text, FK_LOG_TIME_SIZE, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}
