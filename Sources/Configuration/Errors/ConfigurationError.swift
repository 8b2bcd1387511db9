/// One thing wrong with a configuration file, with the place it stands at.
package struct ConfigurationError: Sendable, Equatable {
    /// The file as the operator named it.
    package var file: String
    /// From 1; 0 when the file could not be read.
    package var line: Int
    /// From 1, in characters.
    package var column: Int
    /// Characters under the carets; 0 when no line is shown: what is missing stands nowhere, what is secret is hidden.
    package var length: Int
    /// What is wrong, in a few words.
    package var message: String
    /// One sentence why.
    package var reason: String
    /// What to write instead.
    package var help: String?
    /// The file can be used all the same.
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

/// Everything wrong with a configuration file, in the order of the file; never empty.
package struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    package var errors: [ConfigurationError]
    /// The text the errors point into.
    package var source: String

    package init(errors: [ConfigurationError], source: String) {
        self.errors = errors
        self.source = source
    }
}
