import Load

/// The figures of runs as a table of text, for a terminal.
package struct Table {}
