/// One error or warning about a configuration file, with its position.
package struct ConfigurationError: Sendable, Equatable {
    /// The file as it was given on the command line.
    package var file: String
    /// The line, from 1; 0 if the file could not be read.
    package var line: Int
    /// The column, from 1, in Unicode scalars.
    package var column: Int
    /// Characters to underline with carets; 0 if the line is not shown, because something is missing or the line has a
    /// secret.
    package var length: Int
    /// What is wrong, in a few words.
    package var message: String
    /// The reason, in one sentence.
    package var reason: String
    /// What to write instead.
    package var help: String?
    /// Whether it is a warning: the file can be used.
    package var isWarning = false

    package init(
        file: String, line: Int, column: Int, length: Int, message: String, reason: String, help: String? = nil
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.length = length
        self.message = message
        self.reason = reason
        self.help = help
    }
}

/// All errors of a configuration file.
package struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    /// The errors in the order of the file; never empty.
    package var errors: [ConfigurationError]
    /// The contents of the file.
    package var source: String

    package init(errors: [ConfigurationError], source: String) {
        self.errors = errors
        self.source = source
    }
}
