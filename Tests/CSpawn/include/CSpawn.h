#ifndef CSPAWN_H
#define CSPAWN_H

#include <spawn.h>

// Actions of posix_spawn(3) that the C library shows only to those who define _GNU_SOURCE, which Swift does not.

/// Has the child close all descriptors from `first` on.
int test_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// Has the child work in a folder.
int test_spawn_change_folder(posix_spawn_file_actions_t *actions, const char *folder);

#endif
