"""The parts of bench/abuse: attackers, their victims, and the replicas behind both."""
