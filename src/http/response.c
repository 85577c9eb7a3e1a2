// SPDX-License-Identifier: Apache-2.0
#include "http/response.h"

const char *fk_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}

/* The headers keep browsers from guessing types and from keeping answers. */
void fk_http_respond(struct fk_buf *out, const struct fk_http_response *response)
{
    fk_buf_print(out,
                 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                 "X-Content-Type-Options: nosniff\r\nConnection: %s\r\n%s\r\n",
                 response->status, fk_http_reason(response->status), response->type, response->body.size,
                 response->keep_alive ? "keep-alive" : "close", response->more == NULL ? "" : response->more);
    if (!response->head) {
        fk_buf_append(out, response->body);
    }
}
