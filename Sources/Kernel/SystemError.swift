import Glibc

/// A system call that failed: which, and errno. `EAGAIN` and `EINTR` never become one of these.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    public let call: StaticString
    public let code: CInt

    public init(_ call: StaticString, code: CInt) {
        self.call = call
        self.code = code
    }

    /// Takes errno as the last call left it.
    static func last(_ call: StaticString) -> SystemError {
        SystemError(call, code: errno)
    }

    public static func == (left: SystemError, right: SystemError) -> Bool { left.code == right.code }

    public var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }
}
