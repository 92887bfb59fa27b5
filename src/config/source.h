/* What a document is read from: its format, and UCL made JSON. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>

#include "base/report.h"
#include "config/document.h"
#include "config/read.h"

bool source_is_stdin(const struct document_source *source);
/*
 * Reads it whole.  *format is FORMAT_JSON, FORMAT_LUA or FORMAT_UCL: for the last the text is
 * uclcmd's JSON, and what uclcmd says on the side is logged.  -1: see the report; *out is empty
 * then.
 */
int source_read(const struct document_source *source, const struct script_options *options,
    struct text_file *out, enum format *format, struct report *report);

#endif
