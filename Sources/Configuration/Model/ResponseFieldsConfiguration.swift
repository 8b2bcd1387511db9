/// `response_headers`: what is changed in the header fields of a route's responses, those of servers and Berth's own.
package struct ResponseFieldsConfiguration: Sendable, Equatable {
    /// One field line.
    package struct Line: Sendable, Equatable {
        /// A token (RFC 9110 section 5.6.2), in the case of the file.
        package var name: String
        /// Visible ASCII with spaces and tabs between.
        package var value: String
    }

    /// Lines that replace all of their name. No name stands twice, whatever its case.
    package var set: [Line] = []
    /// Names of lines that are left out, in the case of the file.
    package var removed: [String] = []

    /// Names in one list, at most.
    static let maximumNames = 32
    /// Bytes of all lines together, at most: they stand beside a whole head of the server's.
    static let maximumBytes = 8_192
}
