// SPDX-License-Identifier: Apache-2.0
/* Node data that is too large for the node's record: in an item of its own, or in a blob. It is written under a name
 * that is new for each attempt, before the commit that names it, and is never changed: a record and its data are always
 * of one piece (protocol.md H18).
 *
 * What a dead writer leaves behind is swept up. The name of an attempt is the zxid that its commit is conditional on
 * (16 hexadecimal digits), as many random ones, and the path: once the store's zxid is greater, that commit has
 * happened, and the path's record names the data, or it never will. No clock is needed to know that. In the pipeline
 * the number is that of the path's accepted change: once the visible record shows it, or a later one, it is decided. */
#ifndef FK_FUNCTION_DATA_H
#define FK_FUNCTION_DATA_H

#include "function/overlay.h"

/* Gives a record whose data is at hand a place for it, and writes what does not stand in the record, under a new name
 * that begins with `number` and ends with the record's path. */
enum fk_err fk_data_place(const struct fk_cloud_options *options, const struct fk_ports *ports, struct fk_arena *arena,
                          int64_t number, struct fk_node_record *record);

/* Gives every changed node of the overlay a place for its data, and writes what does not stand in the record. */
enum fk_err fk_data_store(struct fk_overlay *overlay);

/* Removes what the overlay's commit replaced, or what it stored in vain; what can't be removed now is swept up. */
void fk_data_remove_replaced(struct fk_overlay *overlay);
void fk_data_remove_stored(struct fk_overlay *overlay);

/* The data of a record, read from where it is (inline: as it stands there), into the arena. NOT_FOUND: the record is
 * not the newest any more: read it again. Port errors. */
enum fk_err fk_data_read(const struct fk_ports *ports, const struct fk_node_record *record, struct fk_arena *arena,
                         struct fk_bytes *data);

/* Removes the data of a place, if it is there. */
enum fk_err fk_data_remove(const struct fk_ports *ports, enum fk_data_place place, struct fk_bytes attempt);

/* The parts of an attempt's name; false where it is none. */
bool fk_data_attempt_parse(struct fk_bytes attempt, int64_t *zxid, struct fk_bytes *path);

#endif
