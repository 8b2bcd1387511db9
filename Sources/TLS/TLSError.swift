import COpenSSL
import Glibc

/// A failure of certificates, contexts or sessions: the action that failed, and the reason from OpenSSL or the system.
package struct TLSError: Error, CustomStringConvertible, Sendable {
    /// The action that failed, as in "reading the certificate".
    package let action: StaticString
    /// Why it failed, after the file's name if there is one.
    package let reason: String

    /// Stores both.
    package init(action: StaticString, reason: String) {
        self.action = action
        self.reason = reason
    }

    /// The action and the reason, with a colon between them.
    package var description: String { "\(action): \(reason)" }

    /// Takes the oldest entry of this thread's error queue, the one nearest the cause, and empties the queue.
    static func last(_ action: StaticString, about subject: String? = nil) -> TLSError {
        let reason = reason(ERR_peek_error())
        ERR_clear_error()
        return TLSError(action: action, reason: subject.map { "\($0): \(reason)" } ?? reason)
    }

    /// The text of an OpenSSL error code; for a system error inside one, the text of `strerror`.
    static func reason(_ code: UInt) -> String {
        guard code != 0 else { return "no reason given" }
        if ERR_GET_LIB(code) == ERR_LIB_SYS { return String(cString: strerror(ERR_GET_REASON(code))) }
        guard let text = ERR_reason_error_string(code) else { return "OpenSSL error \(code)" }
        return String(cString: text)
    }
}
