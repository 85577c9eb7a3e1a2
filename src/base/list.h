// SPDX-License-Identifier: Apache-2.0
/* Intrusive circular doubly-linked list: the link stands inside the element, so linking never allocates. A link that is
 * in no list points to itself. */
#ifndef FK_BASE_LIST_H
#define FK_BASE_LIST_H

#include "base/container.h"

#include <stdbool.h>

struct fk_list {
    struct fk_list *next;
    struct fk_list *prev;
};

static inline void fk_list_init(struct fk_list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool fk_list_empty(const struct fk_list *list)
{
    return list->next == list;
}

/* Adds link at the end; link must be in no list. */
static inline void fk_list_append(struct fk_list *list, struct fk_list *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

/* Takes the link out; harmless for one that is in no list. */
static inline void fk_list_remove(struct fk_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    fk_list_init(link);
}

/* Takes the first link out; NULL from an empty list. */
static inline struct fk_list *fk_list_take(struct fk_list *list)
{
    if (fk_list_empty(list)) {
        return NULL;
    }
    struct fk_list *link = list->next;
    fk_list_remove(link);
    return link;
}

#endif
