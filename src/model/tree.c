// SPDX-License-Identifier: Apache-2.0
#include "model/tree.h"

#include "base/assert.h"

/* numChildren of the root counts /zookeeper, which is not a create: a fresh root shows cversion -1. */
static const struct {
    const char *path;
    int32_t num_children;
} first_nodes[FK_TREE_FIRST_NODES] = {
    {"/", 1},
    {"/zookeeper", 2},
    {"/zookeeper/quota", 0},
    {"/zookeeper/config", 0},
};

struct fk_node fk_tree_first_node(size_t index)
{
    FK_ASSERT(index < FK_TREE_FIRST_NODES);
    struct fk_bytes path = fk_bytes_text(first_nodes[index].path);
    bool config = fk_bytes_equal_text(path, "/zookeeper/config");
    return (struct fk_node){
        .path = path,
        .data = fk_bytes_text(""),
        .acl = config ? FK_ACL_READ : FK_ACL_OPEN,
        /* ZK: DataTree.addConfigNode sets its list, which raises nothing: it starts at -1. */
        .aversion = config ? -1 : 0,
        .num_children = first_nodes[index].num_children,
    };
}

bool fk_tree_is_special(struct fk_bytes path)
{
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        if (fk_bytes_equal_text(path, first_nodes[i].path)) {
            return true;
        }
    }
    return false;
}
