extension Trial {
    /// Shows the trial until its load has ended. `isStopped` ends it early; it is asked many times a second and may sleep
    /// some milliseconds. `words`: the lines for an event.
    func watch(
        on screen: inout TrialScreen, isStopped: () -> Bool, words: (Event, () -> TrialStatus) -> [String]
    ) throws(ProveError) {
        do throws(ProveError) {
            while isRunning {
                for event in try turn() {
                    for line in words(event, { status }) { screen.tell(line, at: event.at) }
                }
                screen.show(at: elapsed) { status }
                if isStopped() { stop() }
            }
        } catch {
            endAll()
            throw error
        }
    }
}
