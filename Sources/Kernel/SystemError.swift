import Glibc

/// A system call that failed, and with what errno. `EAGAIN` and `EINTR` never become one of these.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The name of the call, as in its manual page.
    public let call: StaticString
    /// Its errno.
    public let code: CInt

    /// An error of `call` with errno `code`.
    public init(_ call: StaticString, code: CInt) {
        self.call = call
        self.code = code
    }

    /// The error of `call`, which was the last call of this thread: reads errno.
    static func last(_ call: StaticString) -> SystemError {
        SystemError(call, code: errno)
    }

    /// Whether the errnos are equal, whatever calls they came from.
    public static func == (left: SystemError, right: SystemError) -> Bool { left.code == right.code }

    /// "bind: Address already in use".
    public var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }
}
