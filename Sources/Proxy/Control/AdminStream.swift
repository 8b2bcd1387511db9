import Reactor
import Synchronization

/// A response of the admin address that has no end: whoever holds it sends pieces, until its client leaves.
///
/// A client has at most one piece that it has not taken yet. Pieces that come meanwhile are lost and counted, so that a slow
/// reader costs no memory; or one of them is kept and given back to a sender who wants that. Any thread may send; the control
/// thread writes.
package final class AdminStream: Sendable {
    /// What became of a piece.
    package enum Sent: Sendable {
        /// It is on its way. It may still be lost, and counts as such then.
        case accepted
        /// The client has not taken the piece before, or its stream has yet to begin: this one is lost.
        case lost
        /// The client has left.
        case closed
    }

    private enum Phase {
        /// The head of the response is not sent yet.
        case opening
        case open(Handle, Mailbox<WorkerMessage>)
        case closed
    }

    private struct State {
        var phase = Phase.opening
        /// A piece waits for the control thread.
        var hasPending = false
        var lost = 0
        /// The piece that its client was not ready for.
        var returned: String?
    }

    private let state = Mutex(State())
    private let keepsPieces: Bool

    /// A stream that takes pieces as soon as it is the response to a request. `keepsPieces`: what its client is not ready for is
    /// given back by `takeReturned`, and is not lost.
    package init(keepsPieces: Bool = false) { self.keepsPieces = keepsPieces }

    /// Pieces that the client will not get, since the beginning.
    package var lost: Int { state.withLock { $0.lost } }

    /// The client has left, or the stream was ended.
    package var isClosed: Bool { state.withLock { if case .closed = $0.phase { true } else { false } } }

    /// The response has begun, and no piece is on its way.
    package var isReady: Bool {
        state.withLock { state in
            guard case .open = state.phase else { return false }
            return !state.hasPending
        }
    }

    /// The last piece, if its client was not ready for it: the sender sends it again before any other.
    package func takeReturned() -> String? { state.withLock { $0.returned.take() } }

    /// Sends a piece of the body, as it is.
    @discardableResult
    package func send(_ piece: String) -> Sent {
        state.withLock { state in
            switch state.phase {
            case .closed: return .closed
            case .opening: break
            case .open(_, let mailbox) where !state.hasPending:
                guard mailbox.post(.adminPiece(self, piece)) else { break }
                state.hasPending = true
                return .accepted
            case .open: break
            }
            lose(piece, &state)
            return .lost
        }
    }

    private func lose(_ piece: String, _ state: inout State) {
        if keepsPieces { state.returned = piece } else { state.lost += 1 }
    }

    /// Sends nothing more, and has the control thread close the connection.
    package func end() {
        state.withLock { state in
            if case .open(_, let mailbox) = state.phase {
                mailbox.postAlways(.adminPiece(self, nil))
            } else {
                state.phase = .closed
            }
        }
    }

    // MARK: - The control thread's part

    /// Its head was sent to `client`. False if it was ended before.
    func open(_ client: Handle, _ mailbox: Mailbox<WorkerMessage>) -> Bool {
        state.withLock { state in
            if case .closed = state.phase { return false }
            state.phase = .open(client, mailbox)
            return true
        }
    }

    /// Whom the piece that waited is for; nil if the stream is closed.
    func takePending() -> Handle? {
        state.withLock { state in
            state.hasPending = false
            if case .open(let client, _) = state.phase { return client }
            return nil
        }
    }

    /// The client has not taken what there was before this piece.
    func noteLost(_ piece: String) { state.withLock { lose(piece, &$0) } }
    func close() { state.withLock { $0.phase = .closed } }
}
