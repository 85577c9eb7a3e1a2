// SPDX-License-Identifier: Apache-2.0
/* The tree that a store has before its first change: "/", /zookeeper, /zookeeper/quota and /zookeeper/config, as
 * DataTree's constructor makes them. */
#ifndef FK_MODEL_TREE_H
#define FK_MODEL_TREE_H

#include "model/node.h"

enum {
    FK_TREE_FIRST_NODES = 4,
};

/* Node `index` of the fresh tree, parents first. */
struct fk_node fk_tree_first_node(size_t index);

/* Nodes that can't be deleted (DataTree.isSpecialPath and the root). */
bool fk_tree_is_special(struct fk_bytes path);

#endif
