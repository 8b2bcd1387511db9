/// One whole reply of a server, in either version of its protocol (RESP2, RESP3). Ranges are of the bytes that it was read from.
package enum RedisReply: Equatable, Sendable {
    /// A line of text, such as `OK`.
    case status(Range<Int>)
    /// The command was not done, and the server's words.
    case error(RedisError, Range<Int>)
    /// A number of 64 bits.
    case integer(Int64)
    /// A value, as bytes.
    case bytes(Range<Int>)
    /// True or false (RESP3).
    case boolean(Bool)
    /// A number with a fraction or of any size, as text (RESP3).
    case number(Range<Int>)
    /// There is no such value.
    case null
    /// An array, a set or a map of so many direct elements, which are not looked into.
    case elements(Int)
}

/// What an error of a server means for whoever uses it: the first word of its text.
package enum RedisError: UInt8, Equatable, Sendable, CaseIterable {
    /// The command, or its arguments, were not right.
    case other
    /// The server has no such command, or no such version of its protocol.
    case unknownCommand
    /// It is a replica, or has become one: writes go elsewhere.
    case readOnly
    /// It is starting, and reads its data.
    case loading
    /// It is a replica that has lost its primary.
    case masterDown
    /// It needs a password or another one, or the user may not do this.
    case denied
    /// Its memory is full, and it evicts nothing.
    case outOfMemory
    /// The key is another node's of a cluster.
    case moved
    /// Its cluster does not serve.
    case clusterDown
    /// It cannot write now: its disk or its replicas are not as it is configured.
    case cannotWrite
    /// A script keeps it from anything else.
    case busy
    /// It does not know the script whose digest it was given, or no longer: it wants the text.
    case noScript

    /// Whether another server may be behind the name by now, or this one cannot be used: the name is looked up and dialled again.
    package var isFailover: Bool {
        switch self {
        case .readOnly, .loading, .masterDown, .clusterDown: true
        case .other, .unknownCommand, .denied, .outOfMemory, .moved, .cannotWrite, .busy, .noScript: false
        }
    }
}
