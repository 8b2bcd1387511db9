import COpenSSL
import Glibc

/// A failure of certificates, contexts or sessions: what was being done and the reason OpenSSL or the system gave.
package struct TLSError: Error, CustomStringConvertible, Sendable {
    /// What was being done, as in "reading the certificate".
    package let action: StaticString
    /// Why it failed, led by the file's name where there is one.
    package let reason: String

    package init(action: StaticString, reason: String) {
        self.action = action
        self.reason = reason
    }

    package var description: String { "\(action): \(reason)" }

    /// Takes the oldest entry of this thread's error queue, the one nearest the cause, and empties the queue.
    static func last(_ action: StaticString, about subject: String? = nil) -> TLSError {
        let reason = reason(ERR_peek_error())
        ERR_clear_error()
        return TLSError(action: action, reason: subject.map { "\($0): \(reason)" } ?? reason)
    }

    /// The text of an OpenSSL error code; a system error inside one reads as `strerror` has it.
    static func reason(_ code: UInt) -> String {
        guard code != 0 else { return "no reason given" }
        if ERR_GET_LIB(code) == ERR_LIB_SYS { return String(cString: strerror(ERR_GET_REASON(code))) }
        guard let text = ERR_reason_error_string(code) else { return "OpenSSL error \(code)" }
        return String(cString: text)
    }
}
