# gst-tsrec: which encoders and decoders this machine has; sourced by record
#
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An element that is installed need not work (an encoder of a graphics card
# that is not there, for example), so each is tried with three pictures. The
# qualities are GstPresets, in presets/; elements without one get their bit
# rate here.

export GST_PRESET_PATH=$top/pipelines/presets

# video_bitrate QUALITY, kbit/s
video_bitrate() {
  case $1 in low) echo 1000 ;; medium) echo 2000 ;; high) echo 4000 ;; esac
}

# encoder_settings ELEMENT QUALITY: the element with its properties
encoder_settings() {
  local kbits
  kbits=$(video_bitrate "$2")
  case $1 in
    x264enc | x265enc | openh264enc | avenc_aac | voaacenc) echo "$1 @preset=tsrec-$2" ;;
    vah264enc | vah265enc) echo "$1 bitrate=$kbits rate-control=cbr key-int-max=60 b-frames=0" ;;
    vaapih264enc | vaapih265enc) echo "$1 bitrate=$kbits rate-control=cbr keyframe-period=60 max-bframes=0" ;;
    v4l2h264enc | v4l2h265enc) echo "$1 extra-controls=controls,video_bitrate=$((kbits * 1000))" ;;
    *) echo "$1" ;;
  esac
}

# works DESCRIPTION: three pictures go through it
works() {
  # shellcheck disable=SC2086 # several words of the launch line
  timeout 20 gst-launch-1.0 -q videotestsrc num-buffers=3 ! \
    video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert ! $1 ! fakesink \
    >/dev/null 2>&1 </dev/null
}

# video_encoder h264|h265 QUALITY: the first that works, hardware first
video_encoder() {
  local name settings software
  case $1 in h264) software='x264enc openh264enc' ;; h265) software='x265enc' ;; esac
  for name in "va$1enc" "vaapi$1enc" "v4l2$1enc" $software; do
    first_element "$name" >/dev/null || continue
    settings=$(encoder_settings "$name" "$2")
    if works "$settings"; then
      echo "$settings"
      return 0
    fi
  done
  return 1
}

# package_of CODEC: what to install for an encoder of it
package_of() {
  case $1 in
    h264) echo "gstreamer1.0-plugins-ugly (x264enc) or gstreamer1.0-plugins-bad (openh264enc)" ;;
    h265) echo "gstreamer1.0-plugins-bad (x265enc)" ;;
    aac) echo "gstreamer1.0-libav (avenc_aac)" ;;
  esac
}

# aac_encoder QUALITY
aac_encoder() {
  local name
  name=$(first_element avenc_aac voaacenc) || return 1
  encoder_settings "$name" "$1"
}

# video_decoder CODEC: the element that decodes what a browser may send
video_decoder() {
  case $1 in
    h264) first_element avdec_h264 openh264dec | sed 's/^/h264parse ! /' ;;
    h265) first_element avdec_h265 | sed 's/^/h265parse ! /' ;;
    vp8) first_element vp8dec avdec_vp8 ;;
    vp9) first_element vp9dec avdec_vp9 ;;
    av1) first_element dav1ddec av1dec ;;
  esac
}
