/* The texts of bhyve's -s and -l as variables: the inverse of hyper/bhyve_words.h. */
#ifndef IMPORT_BHYVE_FORMS_H
#define IMPORT_BHYVE_FORMS_H

#include "base/error.h"
#include "base/pairs.h"
#include "device/device.h"

/*
 * Reads "B:S:F,MODEL[,CONF]" of -s.  Fails where bhyve would exit: an address out of range or
 * taken, an unknown model, a CONF that the model cannot have.
 */
int form_read_device(
    struct pairs *tree, const struct bhyve_host *host, const char *text, struct error *err);
/* Reads the same of -l: "com1,PATH", "bootrom,ROM[,VARS]", "tpm,TYPE,PATH", "pc-testdev". */
int form_read_lpc(
    struct pairs *tree, const struct bhyve_host *host, const char *text, struct error *err);
/* Fails for what bhyve of the host's release does not have, and says how to name another. */
int form_refuse_release(const struct bhyve_host *host, int since, struct error *err);
/*
 * Sets the variables of texts between commas, KEY=VALUE or KEY for true, below a node: the form of
 * most devices.
 */
int form_read_pieces(struct pairs *tree, const char *node, const char *pieces, struct error *err);
/*
 * Takes the text up to the next comma off *rest, which becomes NULL after the last.  Caller frees.
 */
char *form_take_piece(const char **rest);

#endif
