package import Kernel

/// The variables by which systemd hands the sockets of a socket unit over (sd_listen_fds(3)): descriptors from 3 on.
package struct ActivationVariables: Equatable, Sendable {
    /// The descriptors with the names that the unit gives them, empty where it gives none.
    package var sockets: [(name: String, descriptor: Descriptor)]

    /// Reads the values of LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Nil if they are missing, malformed, or meant for another
    /// process than `process`.
    package init?(pid: String?, count: String?, names: String?, process: CInt) {
        guard let pid = pid.flatMap({ CInt($0) }), pid == process else { return nil }
        guard let count = count.flatMap({ Int($0) }), 1...4_096 ~= count else { return nil }
        let names = names.map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) } ?? []
        sockets = (0..<count).map { (names.count == count ? names[$0] : "", Descriptor(CInt(3 + $0))) }
    }

    package static func == (left: ActivationVariables, right: ActivationVariables) -> Bool {
        left.sockets.elementsEqual(right.sockets) { $0 == $1 }
    }
}
