"""The river: ``scan`` joins the stages, ``panel`` says who scans, ``key_frames`` shows moments."""
