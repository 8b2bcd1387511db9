/// A server's context and the files it was made of: looked at now and then, it is made anew when they change.
package struct WatchedTLS: Sendable {
    /// What came of a look.
    package enum Change: Sendable {
        case none
        /// The files hold something else, and it is good.
        case renewed(TLSContext)
        /// The files hold something else that cannot be served; what was good before goes on. Said once for each
        /// version of the files.
        case refused(TLSError)
    }

    package let files: TLSFiles
    /// The last good one.
    package private(set) var context: TLSContext
    private var contents: [[UInt8]]
    private var stamps: [FileStamp?]
    private var isSettled = false
    private var misgiving = Misgiving.none

    /// What is thought of a version that cannot be used.
    private enum Misgiving: Equatable {
        case none
        /// Seen once: it may be half written.
        case fresh
        /// Said; so many looks ago.
        case said(Int)
    }

    /// Looks between two tries of a version that was refused: it may have been refused because it is not valid yet.
    private static let looksBetweenTries = 120

    /// Reads the files, which must be good, but may be out of their time: that is for whoever checks them.
    package init(_ files: TLSFiles) throws(TLSError) {
        self.files = files
        stamps = files.paths.map { FileStamp($0) }
        contents = try Self.read(files)
        context = try files.context(of: contents)
    }

    /// Looks at the files; costs a `stat` of each unless one has changed. `now` is in seconds since 1970.
    package mutating func look(at now: Int64) -> Change {
        // Stamped before it is read: what changes in between is seen at the next look.
        let fresh = files.paths.map { FileStamp($0) }
        let isSame = fresh == stamps
        if isSame, isSettled, !isDue { return .none }
        if !isSame { misgiving = .none }
        stamps = fresh
        isSettled = fresh.allSatisfy { $0?.isSettled(at: now) ?? true }
        do throws(TLSError) {
            return try renew(at: now)
        } catch {
            return doubt(error)
        }
    }

    private mutating func renew(at now: Int64) throws(TLSError) -> Change {
        let found = try Self.read(files)
        if found == contents {
            misgiving = .none
            return .none
        }
        let renewed = try files.context(of: found)
        for certificate in renewed.certificates {
            if let problem = certificate.problem(at: now) {
                throw TLSError(action: problem.action, reason: "\(certificate.subject): \(problem.reason)")
            }
        }
        misgiving = .none
        contents = found
        context = renewed
        return .renewed(renewed)
    }

    /// Whoever replaces two files, one after the other, leaves a pair that does not match for a moment.
    private mutating func doubt(_ error: TLSError) -> Change {
        switch misgiving {
        case .none:
            misgiving = .fresh
            return .none
        case .fresh:
            misgiving = .said(0)
            return .refused(error)
        case .said:
            misgiving = .said(0)
            return .none
        }
    }

    private var isDue: Bool {
        mutating get {
            switch misgiving {
            case .none: return false
            case .fresh: return true
            case .said(let looks):
                misgiving = .said(looks + 1)
                return looks >= Self.looksBetweenTries
            }
        }
    }

    private static func read(_ files: TLSFiles) throws(TLSError) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for path in files.paths { contents.append(try FileContents.read(path)) }
        return contents
    }
}
