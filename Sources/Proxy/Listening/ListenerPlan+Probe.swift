extension ListenerPlan {
    /// Why a proxy could not listen here now; nil if it could. Opens the socket and closes it again.
    package func listeningProblem() -> String? {
        do throws(StartError) {
            let sockets = try ListeningSockets([self], workers: 1)
            sockets.close(worker: 0, isControl: role == .admin)
            return nil
        } catch {
            return error.description
        }
    }
}
