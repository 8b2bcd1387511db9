import CLinux
import Glibc

/// A question to name servers.
package struct DNSQuery: Sendable {
    /// The records that can be asked for.
    package enum Kind: CInt, Sendable {
        case a = 1
        case aaaa = 28
        case srv = 33
    }

    /// Why there is no answer.
    package enum Failure: Error, Sendable, Equatable {
        /// There is no such name: NXDOMAIN (RFC 1035 section 4.1.1).
        case notFound
        /// The name has no records of this kind (RFC 2308 section 2.2).
        case noRecords
        /// No name server has answered in time.
        case timedOut
        /// No name server takes questions, or none can be reached.
        case unreachable
        /// The answer is too large for a datagram, and the name server gives no larger one over TCP.
        case truncated
        /// The name server has failed, or refuses to answer.
        case refused
        /// The answer cannot be read.
        case malformed
    }

    /// Where to ask; nil: the servers of /etc/resolv.conf.
    package var server: SocketAddress?
    /// How long the first attempt waits, in seconds; the second one waits twice as long, divided among the servers.
    package var seconds: CInt = 2
    /// How often each server is asked.
    package var attempts: CInt = 2

    package init(server: SocketAddress? = nil) { self.server = server }

    /// The answer, with at least one record in it. Blocks for some seconds at worst, so no worker may call it. The search list of
    /// /etc/resolv.conf is used for names without a dot at their end.
    package func ask(_ name: String, _ kind: Kind) throws(Failure) -> DNSMessage {
        guard !name.utf8.contains(0) else { throw .notFound }
        var answer = [UInt8](repeating: 0, count: 65_536)
        var failure: CInt = 0
        var code: CInt = 0
        let count: CInt
        if var storage = server?.storage.0 {
            count = berth_dns_query(
                name, kind.rawValue, &storage, seconds, attempts, &answer, CInt(answer.count), &failure, &code)
        } else {
            count = berth_dns_query(
                name, kind.rawValue, nil, seconds, attempts, &answer, CInt(answer.count), &failure, &code)
        }
        guard count > 0 else { throw Failure(failure, code: code, answer: answer) }
        let length = min(Int(count), answer.count)
        guard let message = DNSMessage(answer.span.extracting(0..<length)) else { throw .malformed }
        if message.isTruncated { throw .truncated }
        return message
    }
}

extension DNSQuery.Failure {
    fileprivate init(_ failure: CInt, code: CInt, answer: [UInt8]) {
        // QR, TC and RCODE of what came last (RFC 1035 section 4.1.1); all of it is zero if nothing came.
        let isTruncated = answer[2] & 2 != 0
        let isRefusal = answer[2] & 0x80 != 0 && answer[3] & 15 != 0
        self =
            switch Int(failure) {
            case berth_dns_not_found: .notFound
            case berth_dns_no_data: .noRecords
            case _ where isTruncated: .truncated
            case _ where isRefusal: .refused
            case berth_dns_no_recovery: .refused
            case _ where code == ETIMEDOUT: .timedOut
            case _ where [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ENETDOWN].contains(code): .unreachable
            default: .refused
            }
    }
}
