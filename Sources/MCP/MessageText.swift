import ASCII

/// Looks at messages without reading them, to leave most of them alone.
package enum MessageText {
    /// Bodies longer than this are not looked at: none that sets a log level or subscribes is.
    private static var maximumBytes: Int { 4_096 }

    /// Whether a message may set a session's log level or subscribe to a resource, or end that. False is certain for every
    /// message whose method is written without escapes.
    package static func maySetSessionState(_ body: Span<UInt8>) -> Bool {
        guard body.count <= maximumBytes else { return false }
        var index = 0
        // Each of the methods has a slash with one of these behind it.
        while index < body.count {
            if body[index] == UInt8(ascii: "/"),
                body.has("/setLevel", at: index) || body.has("/subscribe", at: index)
                    || body.has("/unsubscribe", at: index)
            {
                return true
            }
            index += 1
        }
        return false
    }
}
