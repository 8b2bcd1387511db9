/// What is asked of a server.
package enum RedisCommand: Equatable, Sendable {
    /// Whether it answers.
    case ping
    /// The value of a key.
    case get(key: [UInt8])
    /// Gives a key a value, for so many milliseconds.
    case set(key: [UInt8], value: [UInt8], milliseconds: UInt64)
    /// The same, unless the key has a value.
    case create(key: [UInt8], value: [UInt8], milliseconds: UInt64)
    /// How many milliseconds a key has left.
    case timeToLive(key: [UInt8])
    /// Removes a key.
    case delete(key: [UInt8])
    /// Has a key that there is expire in so many milliseconds.
    case expire(key: [UInt8], milliseconds: UInt64)
    /// Adds to what a key has used of its rate.
    case advanceRate(RateScript.Call)
    /// Asks for version 3 of the protocol and says who asks; nil: nobody in particular.
    case hello(RedisCredentials?)
    /// Says who asks.
    case authenticate(RedisCredentials)
    /// Which of the server's numbered databases is meant.
    case select(UInt32)
}

/// Who asks a server. It is not to be logged.
package struct RedisCredentials: Equatable, Sendable {
    /// Empty: the default user, as in servers before version 6.
    package var user: [UInt8]
    /// The password.
    package var password: [UInt8]

    package init(user: [UInt8], password: [UInt8]) {
        self.user = user
        self.password = password
    }
}
